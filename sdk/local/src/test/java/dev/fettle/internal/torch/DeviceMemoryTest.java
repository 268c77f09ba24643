package dev.fettle.internal.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Device;
import dev.fettle.internal.Linux;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
  @Test
  void aProcessorHasWhatItsSystemHas() {
    assertThat(DeviceMemory.free(Device.cpu()).isPresent()).isEqualTo(Linux.HERE.availableBytes().isPresent());
  }

  @Test
  void ofAGpuThatIsNotThereNothingIsKnown() {
    assertThat(DeviceMemory.free(Device.cuda(7))).isEmpty();
  }
}
