package dev.fettle.internal.chart;

import dev.fettle.internal.OneLine;
import java.awt.image.BufferedImage;

/** A picture that says in words what it shows, where no picture can be seen. */
final class Picture extends BufferedImage {
  private final String title;

  Picture(String title, int width, int height) {
    super(width, height, BufferedImage.TYPE_INT_RGB);
    this.title = title;
  }

  @Override
  public String toString() {
    return OneLine.of("Picture", title + ", " + getWidth() + " x " + getHeight() + " pixels");
  }
}
