package dev.fettle.internal.wire;

import dev.fettle.internal.wire.Passes.Output;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Results of passes as protobuf ({@code ForwardBackwardOutput}). */
public final class OutputProto {
  private static final String DEFAULT_TYPE = "ArrayRecord";

  private OutputProto() {}

  /** The bytes of a result: one record a run of data whose tensors have the same names, types and inner shapes. */
  public static byte[] write(Output output) {
    Proto.Message out = new Proto.Message().text(1, output.lossFnOutputType());
    List<Map<String, TensorData>> data = output.lossFnOutputs();
    for (int first = 0; first < data.size();) {
      int end = first + 1;
      while (end < data.size() && shapes(data.get(end)).equals(shapes(data.get(first)))) {
        end++;
      }
      out.message(2, record(output.lossFnOutputType(), data.subList(first, end)));
      first = end;
    }
    return out.decimals(3, output.metrics()).toBytes();
  }

  private static String shapes(Map<String, TensorData> tensors) {
    StringBuilder out = new StringBuilder();
    new TreeMap<>(tensors).forEach((name, t) ->
        out.append(name).append(' ').append(t.dtype()).append(Arrays.toString(trailing(t))).append(';'));
    return out.toString();
  }

  private static long[] trailing(TensorData tensor) {
    return tensor.isRow() ? new long[0] : Arrays.copyOfRange(tensor.shape(), 1, tensor.shape().length);
  }

  private static Proto.Message record(String type, List<Map<String, TensorData>> data) {
    Proto.Message out = new Proto.Message().text(1, type);
    for (String name : data.get(0).keySet()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      long[] offsets = new long[data.size() + 1];
      for (int i = 0; i < data.size(); i++) {
        TensorData t = data.get(i).get(name);
        bytes.writeBytes(t.floats() != null ? Proto.little(t.floats()) : Proto.little(t.ints()));
        offsets[i + 1] = bytes.size();
      }
      TensorData one = data.get(0).get(name);
      Proto.Message tensor = new Proto.Message().bytes(1, bytes.toByteArray()).bytes(2, Proto.little(offsets))
          .number(3, one.floats() != null ? Proto.FLOAT32 : Proto.INT64).packed(4, trailing(one));
      out.message(2, new Proto.Message().text(1, name).message(2, tensor));
    }
    return out.number(3, data.size());
  }

  /** A result from its bytes. */
  public static Output read(byte[] bytes) {
    OutputReader in = new OutputReader();
    in.read(bytes, "ForwardBackwardOutput");
    String type = in.type.isEmpty() ? DEFAULT_TYPE : in.type.substring(in.type.lastIndexOf(':') + 1);
    return new Output(type, in.outputs, in.metrics);
  }

  private static final class OutputReader extends Proto.Reader {
    private String type = "";
    private final List<Map<String, TensorData>> outputs = new ArrayList<>();
    private final Map<String, Double> metrics = new HashMap<>();

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> type = text();
        case 2 -> {
          RecordReader in = new RecordReader();
          in.read(bytes(), "ArrayRecord");
          outputs.addAll(in.data());
        }
        case 3 -> entry(metrics);
        default -> { }
      }
    }
  }

  private static final class RecordReader extends Proto.Reader {
    private final Map<String, List<TensorData>> fields = new HashMap<>();
    private long count;

    @Override
    void field(int number) {
      if (number == 2) {
        FieldReader in = new FieldReader();
        in.read(bytes(), "an entry of ArrayRecord.fields");
        fields.put(in.name, in.tensors);
      } else if (number == 3) {
        count = number();
      }
    }

    private List<Map<String, TensorData>> data() {
      long data = count != 0 ? count : fields.values().stream().mapToLong(List::size).findFirst().orElse(0);
      if (data < 0 || data > 1 << 24) {
        throw new WireException("an ArrayRecord of " + data + " data");
      }
      List<Map<String, TensorData>> out = new ArrayList<>();
      for (int i = 0; i < data; i++) {
        Map<String, TensorData> one = new HashMap<>();
        for (Map.Entry<String, List<TensorData>> field : fields.entrySet()) {
          if (field.getValue().size() != data) {
            throw new WireException("an ArrayRecord of " + data + " data has " + field.getValue().size() + " "
                + field.getKey());
          }
          one.put(field.getKey(), field.getValue().get(i));
        }
        out.add(one);
      }
      return out;
    }
  }

  private static final class FieldReader extends Proto.Reader {
    private String name = "";
    private List<TensorData> tensors = List.of();

    @Override
    void field(int number) {
      if (number == 1) {
        name = text();
      } else if (number == 2) {
        TensorsReader in = new TensorsReader();
        in.read(bytes(), "BatchedTensor");
        tensors = in.tensors();
      }
    }
  }

  private static final class TensorsReader extends Proto.Reader {
    private byte[] data = new byte[0];
    private byte[] offsets = new byte[0];
    private int dtype;
    private long[] trailing = new long[0];

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> data = bytes();
        case 2 -> offsets = bytes();
        case 3 -> dtype = (int) number();
        case 4 -> trailing = numbers(trailing);
        default -> { }
      }
    }

    private List<TensorData> tensors() {
      long[] at = Proto.longs(offsets);
      long inner = Arrays.stream(trailing).reduce(1, (a, b) -> a * b);
      List<TensorData> out = new ArrayList<>();
      for (int i = 0; i + 1 < at.length; i++) {
        if (at[i] < 0 || at[i + 1] < at[i] || at[i + 1] > data.length) {
          throw new WireException("a BatchedTensor of " + data.length + " bytes has the offset " + at[i + 1]);
        }
        byte[] bytes = Arrays.copyOfRange(data, (int) at[i], (int) at[i + 1]);
        long[] shape = new long[trailing.length + 1];
        System.arraycopy(trailing, 0, shape, 1, trailing.length);
        shape[0] = inner == 0 ? 0 : bytes.length / Proto.size(dtype) / inner;
        out.add(Proto.tensor(bytes, dtype, shape));
      }
      return out;
    }
  }
}
