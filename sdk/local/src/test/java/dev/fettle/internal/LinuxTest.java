package dev.fettle.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that is left, read from files as Linux shows them on machines and in containers of different kinds. */
class LinuxTest {
  private static final long GIB = 1L << 30;
  private static final String V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

  @TempDir
  private Path root;

  @Test
  void aMachineWithoutLimitsHasWhatTheKernelCallsAvailable() throws IOException {
    meminfo(6 * GIB);
    put("proc/self/cgroup", "0::/user.slice\n");
    put("proc/self/mountinfo", V2_MOUNT);
    group("sys/fs/cgroup/user.slice", "max", 3 * GIB, 0);

    assertThat(available()).isEqualTo(6 * GIB);
  }

  @Test
  void filesThatCouldBeDroppedAreNotTakenFromAContainersMemory() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/cgroup", "0::/\n");
    put("proc/self/mountinfo", V2_MOUNT);
    group("sys/fs/cgroup", 4 * GIB, 3 * GIB, 2 * GIB);

    assertThat(available()).isEqualTo(3 * GIB);
  }

  @Test
  void theTightestOfNestedGroupsCounts() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/cgroup", "0::/kubepods/pod7/main\n");
    put("proc/self/mountinfo", V2_MOUNT);
    group("sys/fs/cgroup/kubepods/pod7/main", 8 * GIB, GIB, 0);
    group("sys/fs/cgroup/kubepods/pod7", 6 * GIB, 5 * GIB, 0);
    group("sys/fs/cgroup/kubepods", "max", 30 * GIB, 0);

    assertThat(available()).isEqualTo(GIB);
  }

  @Test
  void aGroupThatIsHeldBackBeforeItsLimitHasLessLeft() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/cgroup", "0::/job\n");
    put("proc/self/mountinfo", V2_MOUNT);
    group("sys/fs/cgroup/job", 8 * GIB, GIB, 0);
    put("sys/fs/cgroup/job/memory.high", 4 * GIB + "\n");

    assertThat(available()).isEqualTo(3 * GIB);
  }

  @Test
  void groupsOfVersionOneAreReadBesideAnEmptyHierarchyOfVersionTwo() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/jobs/one\n1:cpu:/\n0::/\n");
    put("proc/self/mountinfo", "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,memory\n"
        + "32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes", GIB + "\n");
    put("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", 5 * GIB + "\n");
    put("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", 4 * GIB + "\n");
    put("sys/fs/cgroup/memory/jobs/memory.stat", "cache 7\ninactive_file 5\ntotal_inactive_file " + GIB + "\n");

    assertThat(available()).isEqualTo(2 * GIB);
  }

  /** Docker with version 1: the group has its name of outside, of which the container sees only what is below. */
  @Test
  void aContainerSeesItsOwnGroupWhereTheMountBegins() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/cgroup", "4:memory:/docker/abc\n");
    put("proc/self/mountinfo", "31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", 2 * GIB + "\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", GIB / 2 + "\n");
    assertThat(available()).isEqualTo(3 * GIB / 2);

    put("proc/self/cgroup", "4:memory:/docker/another\n");
    assertThat(available()).isEqualTo(3 * GIB / 2);

    put("proc/self/cgroup", "4:memory:/docker/abc/child\n");
    put("sys/fs/cgroup/memory/child/memory.limit_in_bytes", GIB + "\n");
    put("sys/fs/cgroup/memory/child/memory.usage_in_bytes", GIB / 2 + "\n");
    assertThat(available()).isEqualTo(GIB / 2);
  }

  @Test
  void limitsOfTheProcessCount() throws IOException {
    meminfo(60 * GIB);
    put("proc/self/status", "Name:\tjava\nVmSize:\t 9437184 kB\nVmData:\t 1048576 kB\n");
    put("proc/self/limits", limits("unlimited", 3 * GIB));
    assertThat(available()).isEqualTo(2 * GIB);

    put("proc/self/limits", limits(Long.toString(10 * GIB), 30 * GIB));
    assertThat(available()).isEqualTo(GIB);

    put("proc/self/limits", limits("unlimited", GIB / 2));
    assertThat(available()).isZero();
  }

  @Test
  void whatCannotBeReadIsUnknown() throws IOException {
    Linux nowhere = new Linux(root.resolve("nowhere"));
    assertThat(nowhere.availableBytes()).isEmpty();
    assertThat(nowhere.totalBytes()).isEmpty();
    assertThat(nowhere.residentBytes()).isEmpty();
    assertThat(nowhere.processorFeatures()).isEmpty();
    assertThat(nowhere.processorName()).isEmpty();
    nowhere.forgetPeak();

    put("proc/meminfo", "MemAvailable: many\n");
    put("proc/self/cgroup", "nonsense\n0::/../elsewhere\n4:memory\n");
    put("proc/self/mountinfo", "short\n" + V2_MOUNT);
    group("sys/fs/cgroup", "many", GIB, 0);
    assertThat(new Linux(root).availableBytes()).isEmpty();
  }

  @Test
  void theProcessorIsNamedWithWhatItCanDo() throws IOException {
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2.0: GHz\nflags\t\t: fpu avx2 avx512_bf16\n");
    assertThat(new Linux(root).processorName()).hasValue("Some CPU @ 2.0: GHz");
    assertThat(new Linux(root).processorFeatures()).containsExactly("fpu", "avx2", "avx512_bf16");

    put("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp bf16\n");
    assertThat(new Linux(root).processorFeatures()).containsExactly("fp", "bf16");
  }

  private long available() {
    return new Linux(root).availableBytes().orElseThrow();
  }

  private void meminfo(long available) throws IOException {
    put("proc/meminfo", "MemTotal:       67108864 kB\nMemFree:  1024 kB\nMemAvailable:   " + available / 1024 + " kB\n");
  }

  private void group(String directory, Object limit, long used, long inactive) throws IOException {
    put(directory + "/memory.max", limit + "\n");
    put(directory + "/memory.current", used + "\n");
    put(directory + "/memory.stat", "anon 5\nfile 6\ninactive_file " + inactive + "\nactive_file 7\n");
  }

  private static String limits(String addresses, long data) {
    return "Limit                     Soft Limit           Hard Limit           Units     \n"
        + "Max data size             " + data + "   unlimited            bytes     \n"
        + "Max address space         " + addresses + "     unlimited            bytes     \n";
  }

  private void put(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
