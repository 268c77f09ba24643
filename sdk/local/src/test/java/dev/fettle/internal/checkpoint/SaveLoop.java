package dev.fettle.internal.checkpoint;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A child process that saves a directory over and over until it is killed. */
final class SaveLoop {
  private SaveLoop() {}

  public static void main(String[] args) {
    Path target = Path.of(args[0]);
    boolean maySwap = Boolean.parseBoolean(args[1]);
    for (int generation = Integer.parseInt(args[2]); ; generation++) {
      String text = Integer.toString(generation);
      int bigEndian = Integer.reverseBytes(generation);
      AtomicFiles.writeDirectory(
          target,
          directory -> {
            Files.writeString(directory.resolve("a.txt"), text);
            new SafetensorsWriter()
                .add("g", StoredType.I32, 1)
                .write(
                    directory.resolve("b.safetensors"),
                    (tensor, sink) -> sink.put(ByteBuffer.allocate(4).putInt(0, bigEndian)));
            Files.createDirectory(directory.resolve("sub"));
            Files.writeString(directory.resolve("sub/c.txt"), text);
          },
          maySwap);
      Path file = target.resolveSibling("file.txt");
      AtomicFiles.writeFile(
          file, channel -> channel.write(ByteBuffer.wrap((text + " " + text).getBytes(StandardCharsets.UTF_8))));
      System.out.println(generation);
    }
  }
}
