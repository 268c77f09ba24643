package dev.fettle.internal.wire;

import dev.fettle.internal.wire.Passes.Datum;
import dev.fettle.internal.wire.Passes.Pass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Requests for passes as protobuf ({@code ForwardBackwardRequest}). */
public final class PassProto {
  private PassProto() {}

  /** The bytes of a request. */
  public static byte[] write(Pass pass) {
    Proto.Message out = new Proto.Message().text(1, pass.modelId()).number(2, pass.seqId() == null ? 0 : pass.seqId());
    for (Datum datum : pass.data()) {
      Proto.Message message = new Proto.Message();
      datum.modelInput().chunks().forEach(chunk -> message.message(1, chunk(chunk)));
      datum.lossFnInputs().forEach((name, tensor) ->
          message.message(2, new Proto.Message().text(1, name).message(2, tensor(tensor))));
      out.message(3, message);
    }
    return out.text(4, pass.lossFn()).decimals(5, pass.lossFnConfig()).number(6, pass.forwardOnly() ? 1 : 0).toBytes();
  }

  private static Proto.Message chunk(ModelInput.Chunk chunk) {
    if (chunk instanceof ModelInput.Text text) {
      return new Proto.Message().message(1, new Proto.Message().bytes(1, Proto.little(text.tokens())));
    }
    throw new WireException("only text can be sent, not " + chunk);
  }

  static Proto.Message tensor(TensorData tensor) {
    boolean floats = tensor.floats() != null;
    byte[] values = floats ? Proto.little(tensor.floats()) : Proto.little(tensor.ints());
    Proto.Message out = tensor.sparse() == null ? new Proto.Message().bytes(1, values)
        : new Proto.Message().message(2, new Proto.Message().bytes(1, values)
            .bytes(2, Proto.little(tensor.sparse().rows())).bytes(3, Proto.little(tensor.sparse().columns())));
    return out.number(3, floats ? Proto.FLOAT32 : Proto.INT64).packed(4, tensor.shape());
  }

  /** A request from its bytes. A sequence number of 0 counts as none, an empty configuration too. */
  public static Pass read(byte[] bytes) {
    RequestReader in = new RequestReader();
    in.read(bytes, "ForwardBackwardRequest");
    if (in.loss.isEmpty()) {
      throw new WireException("the pass has no loss_fn");
    }
    Map<String, Double> config = in.newer.isEmpty() ? in.config : in.newer;
    return new Pass(in.model, in.seqId == 0 ? null : in.seqId, in.data, in.loss, config.isEmpty() ? null : config,
        in.forwardOnly);
  }

  private static final class RequestReader extends Proto.Reader {
    private String model = "";
    private int seqId;
    private final List<Datum> data = new ArrayList<>();
    private String loss = "";
    private final Map<String, Double> config = new HashMap<>();
    /** As clients since 0.26.2 write it, beside the other, which lacks what is text. */
    private final Map<String, Double> newer = new HashMap<>();
    private boolean forwardOnly;

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> model = text();
        case 2 -> seqId = (int) number();
        case 3 -> {
          DatumReader in = new DatumReader();
          in.read(bytes(), "Datum");
          data.add(new Datum(new ModelInput(in.chunks), in.inputs));
        }
        case 4 -> loss = text();
        case 5 -> entry(config);
        case 6 -> forwardOnly = number() != 0;
        case 7 -> {
          SettingReader in = new SettingReader();
          in.read(bytes(), "an entry of loss_fn_config_v2");
          newer.put(in.name, in.value());
        }
        default -> { }
      }
    }
  }

  private static final class SettingReader extends Proto.Reader {
    private String name = "";
    private Double number;
    private String text;

    @Override
    void field(int field) {
      if (field == 1) {
        name = text();
      } else if (field == 2) {
        byte[] value = bytes();
        new Proto.Reader() {
          @Override
          void field(int arm) {
            if (arm == 1) {
              number = decimal();
            } else if (arm == 2) {
              text = text();
            }
          }
        }.read(value, "a LossConfigValue");
      }
    }

    private double value() {
      if (number == null) {
        throw new WireException("loss_fn_config_v2 has " + name + (text == null ? " without a value"
            : " = \"" + text + "\"; only numbers are known"));
      }
      return number;
    }
  }

  private static final class DatumReader extends Proto.Reader {
    private final List<ModelInput.Chunk> chunks = new ArrayList<>();
    private final Map<String, TensorData> inputs = new HashMap<>();

    @Override
    void field(int number) {
      if (number == 1) {
        ChunkReader in = new ChunkReader();
        in.read(bytes(), "Chunk");
        chunks.add(in.chunk);
      } else if (number == 2) {
        EntryReader in = new EntryReader();
        in.read(bytes(), "an entry of loss_fn_inputs");
        if (in.tensor != null) {
          inputs.put(in.name, in.tensor);
        }
      }
    }
  }

  private static final class ChunkReader extends Proto.Reader {
    private ModelInput.Chunk chunk;

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> chunk = new ModelInput.Text(Proto.ints(first(bytes(), "EncodedTextChunk")));
        case 2 -> chunk = new ModelInput.Other("image");
        case 3 -> chunk = new ModelInput.Other("dmel");
        default -> { }
      }
    }

    /** The bytes of the first field. */
    private static byte[] first(byte[] message, String what) {
      byte[][] value = {new byte[0]};
      new Proto.Reader() {
        @Override
        void field(int number) {
          if (number == 1) {
            value[0] = bytes();
          }
        }
      }.read(message, what);
      return value[0];
    }
  }

  /** A tensor from its bytes. */
  static TensorData tensor(byte[] message) {
    TensorReader in = new TensorReader();
    in.read(message, "Tensor");
    return in.tensor();
  }

  private static final class EntryReader extends Proto.Reader {
    private String name = "";
    private TensorData tensor;

    @Override
    void field(int number) {
      if (number == 1) {
        name = text();
      } else if (number == 2) {
        tensor = tensor(bytes());
      }
    }
  }

  private static final class TensorReader extends Proto.Reader {
    private byte[] dense = new byte[0];
    private byte[] sparse;
    private int dtype;
    private long[] shape = new long[0];

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> dense = bytes();
        case 2 -> sparse = bytes();
        case 3 -> dtype = (int) number();
        case 4 -> shape = numbers(shape);
        default -> { }
      }
    }

    private TensorData tensor() {
      if (sparse == null) {
        return Proto.tensor(dense, dtype, shape.length == 0 ? null : shape);
      }
      byte[][] parts = {new byte[0], new byte[0], new byte[0]};
      new Proto.Reader() {
        @Override
        void field(int number) {
          if (number >= 1 && number <= parts.length) {
            parts[number - 1] = bytes();
          }
        }
      }.read(sparse, "SparseCsr");
      return TensorData.sparse(Proto.tensor(parts[0], dtype, null), Proto.longs(parts[1]), Proto.longs(parts[2]), shape);
    }
  }
}
