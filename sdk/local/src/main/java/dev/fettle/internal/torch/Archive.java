package dev.fettle.internal.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive that holds one module, {@code Kernels}, whose methods are the functions of a source text
 * and whose settings are a {@link KernelSelection}. The layout is that of {@code torch.jit.save}: a stored zip with the
 * code as text and the module object as a pickle.
 */
final class Archive {
  /** What kernels call FewRows. */
  private static final String FEW_ROWS = "__torch__.torch.classes.quantized.LinearPackedParamsBase";
  private static final Pattern FUNCTION = Pattern.compile("(?m)^def (\\w+)\\(");
  private static final String HEAD = """
      class Kernels(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        onednn_f32 : bool
        onednn_bf16 : bool
        _is_full_backward_hook : Optional[bool]
      """;

  private Archive() {}

  static void write(String functions, KernelSelection selection, OutputStream out) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      entry(zip, "k/data.pkl", module(selection));
      entry(zip, "k/code/__torch__.py", source(functions).getBytes(StandardCharsets.UTF_8));
      entry(zip, "k/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      entry(zip, "k/version", "10\n".getBytes(StandardCharsets.US_ASCII));
      entry(zip, "k/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** The functions as methods: a leading {@code self} parameter, calls among them through {@code self}, and whole names of classes. */
  static String source(String functions) {
    String code = functions.replaceAll("(?m)^\\s*#.*\\R", "").replaceAll("\\bFewRows\\b", FEW_ROWS);
    Set<String> names = new LinkedHashSet<>();
    Matcher m = FUNCTION.matcher(code);
    while (m.find()) {
      names.add(m.group(1));
    }
    String body = FUNCTION.matcher(code).replaceAll("def $1(self: __torch__.Kernels, ");
    Pattern call = Pattern.compile("(?<![\\w.])(?<!def )(" + String.join("|", names) + ")\\(");
    return HEAD + call.matcher(body).replaceAll("self.$1(").replaceAll("(?m)^(?=.)", "  ");
  }

  private static byte[] module(KernelSelection selection) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(new byte[] {(byte) 0x80, 2});
    out.write("c__torch__\nKernels\n".getBytes(StandardCharsets.US_ASCII));
    out.write(new byte[] {')', (byte) 0x81, '}', '('});
    text(out, "training");
    out.write(0x88);
    text(out, "onednn_f32");
    out.write(selection.onednnF32() ? 0x88 : 0x89);
    text(out, "onednn_bf16");
    out.write(selection.onednnBf16() ? 0x88 : 0x89);
    text(out, "_is_full_backward_hook");
    out.write(new byte[] {'N', 'u', 'b', '.'});
    return out.toByteArray();
  }

  private static void text(ByteArrayOutputStream out, String s) throws IOException {
    byte[] bytes = s.getBytes(StandardCharsets.US_ASCII);
    out.write('X');
    for (int i = 0; i < 4; i++) {
      out.write(bytes.length >> 8 * i);
    }
    out.write(bytes);
  }

  private static void entry(ZipOutputStream zip, String name, byte[] data) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(data.length);
    CRC32 crc = new CRC32();
    crc.update(data);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(data);
    zip.closeEntry();
  }
}
