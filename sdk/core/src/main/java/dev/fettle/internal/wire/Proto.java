package dev.fettle.internal.wire;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Writing and reading of protobuf messages field by field; fields that are not known are skipped. */
public final class Proto {
  static final int FLOAT32 = 1;
  static final int INT64 = 2;
  static final int INT32 = 3;
  static final int BFLOAT16 = 4;

  private Proto() {}

  /** A message being written. Fields that have the default value are left out, as proto3 says. */
  public static final class Message {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CodedOutputStream out = CodedOutputStream.newInstance(bytes);

    @FunctionalInterface
    private interface Field {
      void write(CodedOutputStream out) throws IOException;
    }

    private Message put(boolean present, Field field) {
      try {
        if (present) {
          field.write(out);
        }
        return this;
      } catch (IOException e) {
        throw new WireException("cannot be written: " + e, e);
      }
    }

    /** A text, unless it is empty. */
    public Message text(int field, String value) {
      return put(value != null && !value.isEmpty(), o -> o.writeString(field, value));
    }

    /** A whole number, unless it is 0. */
    public Message number(int field, long value) {
      return put(value != 0, o -> o.writeInt64(field, value));
    }

    /** Bytes with presence: written although empty. */
    public Message bytes(int field, byte[] value) {
      return put(value != null, o -> o.writeByteArray(field, value));
    }

    /** A message within. */
    public Message message(int field, Message value) {
      return bytes(field, value.toBytes());
    }

    /** A number of 64 bits. */
    public Message decimal(int field, double value) {
      return put(true, o -> o.writeDouble(field, value));
    }

    /** A number of 32 bits. */
    public Message single(int field, float value) {
      return put(true, o -> o.writeFloat(field, value));
    }

    Message packed(int field, long[] values) {
      if (values == null || values.length == 0) {
        return this;
      }
      try {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        CodedOutputStream inner = CodedOutputStream.newInstance(packed);
        for (long value : values) {
          inner.writeInt64NoTag(value);
        }
        inner.flush();
        return bytes(field, packed.toByteArray());
      } catch (IOException e) {
        throw new WireException("cannot be written: " + e, e);
      }
    }

    Message decimals(int field, Map<String, Double> values) {
      if (values != null) {
        values.forEach((key, value) -> message(field, new Message().text(1, key).decimal(2, value)));
      }
      return this;
    }

    /** All that was written. */
    public byte[] toBytes() {
      put(true, CodedOutputStream::flush);
      return bytes.toByteArray();
    }
  }

  /** A message being read: calls {@link #field} for each of its fields. */
  abstract static class Reader {
    private CodedInputStream in;
    private boolean taken;

    /** Takes a field by one of the methods below, or lets it be skipped. */
    abstract void field(int number);

    final void read(byte[] message, String what) {
      try {
        in = CodedInputStream.newInstance(message);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
          this.tag = tag;
          taken = false;
          field(WireFormat.getTagFieldNumber(tag));
          if (!taken) {
            in.skipField(tag);
          }
        }
      } catch (IOException e) {
        throw new WireException("not " + what + ": " + e.getMessage(), e);
      }
    }

    private int tag;

    @FunctionalInterface
    private interface Take<T> {
      T from(CodedInputStream in) throws IOException;
    }

    private <T> T take(int type, T otherwise, Take<T> value) {
      if (WireFormat.getTagWireType(tag) != type) {
        return otherwise;
      }
      taken = true;
      try {
        return value.from(in);
      } catch (IOException e) {
        throw new WireException("field " + WireFormat.getTagFieldNumber(tag) + " is broken: " + e.getMessage(), e);
      }
    }

    final byte[] bytes() {
      return take(WireFormat.WIRETYPE_LENGTH_DELIMITED, new byte[0], CodedInputStream::readByteArray);
    }

    final String text() {
      return new String(bytes(), StandardCharsets.UTF_8);
    }

    final long number() {
      return take(WireFormat.WIRETYPE_VARINT, 0L, CodedInputStream::readInt64);
    }

    final double decimal() {
      return take(WireFormat.WIRETYPE_FIXED64, 0d, CodedInputStream::readDouble);
    }

    /** Repeated numbers, packed or one at a time, after those that came before. */
    final long[] numbers(long[] before) {
      if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
        return append(before, number());
      }
      byte[] packed = bytes();
      try {
        CodedInputStream inner = CodedInputStream.newInstance(packed);
        long[] out = before;
        while (!inner.isAtEnd()) {
          out = append(out, inner.readInt64());
        }
        return out;
      } catch (IOException e) {
        throw new WireException("packed numbers are broken: " + e.getMessage(), e);
      }
    }

    /** An entry of a map from text to a number. */
    final void entry(Map<String, Double> into) {
      byte[] entry = bytes();
      String[] key = {""};
      double[] value = {0};
      new Reader() {
        @Override
        void field(int number) {
          if (number == 1) {
            key[0] = text();
          } else if (number == 2) {
            value[0] = decimal();
          }
        }
      }.read(entry, "a map entry");
      into.put(key[0], value[0]);
    }

    private static long[] append(long[] before, long value) {
      long[] out = java.util.Arrays.copyOf(before, before.length + 1);
      out[before.length] = value;
      return out;
    }
  }

  private static ByteBuffer little(byte[] bytes, int size) {
    if (bytes.length % size != 0) {
      throw new WireException(bytes.length + " bytes are not whole numbers of " + size + " bytes");
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static byte[] little(int[] values) {
    ByteBuffer out = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    out.asIntBuffer().put(values);
    return out.array();
  }

  static byte[] little(long[] values) {
    ByteBuffer out = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    out.asLongBuffer().put(values);
    return out.array();
  }

  static byte[] little(float[] values) {
    ByteBuffer out = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    out.asFloatBuffer().put(values);
    return out.array();
  }

  static int[] ints(byte[] bytes) {
    int[] out = new int[bytes.length / 4];
    little(bytes, 4).asIntBuffer().get(out);
    return out;
  }

  static long[] longs(byte[] bytes) {
    long[] out = new long[bytes.length / 8];
    little(bytes, 8).asLongBuffer().get(out);
    return out;
  }

  static float[] floats(byte[] bytes) {
    float[] out = new float[bytes.length / 4];
    little(bytes, 4).asFloatBuffer().get(out);
    return out;
  }

  static int size(int dtype) {
    return switch (dtype) {
      case FLOAT32, INT32 -> 4;
      case INT64 -> 8;
      case BFLOAT16 -> 2;
      default -> throw new WireException("tensor type " + dtype + " is not known");
    };
  }

  /** Values of any type, widened to float32 or int64. */
  static TensorData tensor(byte[] bytes, int dtype, long[] shape) {
    little(bytes, size(dtype));
    switch (dtype) {
      case FLOAT32:
        return new TensorData(shape, floats(bytes), null);
      case INT64:
        return new TensorData(shape, null, longs(bytes));
      case INT32:
        int[] ints = ints(bytes);
        long[] wide = new long[ints.length];
        java.util.Arrays.setAll(wide, i -> ints[i]);
        return new TensorData(shape, null, wide);
      default:
        float[] out = new float[bytes.length / 2];
        ByteBuffer halves = little(bytes, 2);
        for (int i = 0; i < out.length; i++) {
          out[i] = Float.intBitsToFloat(halves.getShort() << 16);
        }
        return new TensorData(shape, out, null);
    }
  }
}
