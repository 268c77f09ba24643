package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DeviceTest {
  /** The tests run with libtorch for the processor alone. */
  @Test
  void aDeviceThatLibtorchDoesNotKnowIsRefusedAndTheProcessorStays() {
    assertThatThrownBy(() -> Fettle.local(Device.cuda(0))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("cuda:0").hasMessageContaining("pytorch-native-cu128");
    try (Fettle fettle = Fettle.local(Device.cpu())) {
      assertThat(fettle).hasToString("Fettle[local]");
      assertThat(fettle.load("fettle-tiny").sampler().chat("Hello!")).isNotEmpty();
    }
  }

  @Test
  void aDeviceIsNamedAsPyTorchNamesIt() {
    assertThat(Device.cuda(1).name()).isEqualTo("cuda:1");
    assertThat(Device.cuda(1)).isEqualTo(Device.cuda(1)).isNotEqualTo(Device.cpu()).hasToString("Device[cuda:1]");
    assertThatThrownBy(() -> Device.cuda(-1)).isInstanceOf(InvalidInputException.class).hasMessageContaining("cuda(-1)");
  }
}
