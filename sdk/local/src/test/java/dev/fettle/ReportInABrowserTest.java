package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.recipes.Sft;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A report in a real browser without network; skipped where there is none. */
class ReportInABrowserTest {
  private static final int BLUE = 0x0B62C4;

  @TempDir Path directory;

  private static Optional<Path> browser() {
    return Stream.of("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
        .flatMap(name -> Stream.of(System.getenv("PATH").split(":")).map(d -> Path.of(d, name))).filter(Files::isExecutable)
        .findFirst();
  }

  @Test
  void theReportOpensFromDiskAndShowsItsCurves() throws Exception {
    Optional<Path> browser = browser();
    assumeTrue(browser.isPresent(), "skipped: no Chromium here");
    try (Fettle fettle = Fettle.local()) {
      Sft.on(fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2))).data(Dataset.of(new Completion("one two", " three")))
          .epochs(20).directory(directory.resolve("run")).run();
    }
    Path picture = directory.resolve("page.png");
    Process process = new ProcessBuilder(List.of(browser.get().toString(), "--headless", "--no-sandbox", "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + directory.resolve("profile"),
        "--window-size=1000,1600", "--screenshot=" + picture, directory.resolve("run/report.html").toUri().toString()))
        .redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start();

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();

    BufferedImage page = ImageIO.read(picture.toFile());
    Files.createDirectories(Path.of("target/charts"));
    Files.copy(picture, Path.of("target/charts/report.png"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    long curve = IntStream.range(0, page.getWidth() * page.getHeight())
        .filter(i -> (page.getRGB(i % page.getWidth(), i / page.getWidth()) & 0xFFFFFF) == BLUE).count();
    assertThat(curve).as("pixels in the colour of a curve").isGreaterThan(1000);
  }
}
