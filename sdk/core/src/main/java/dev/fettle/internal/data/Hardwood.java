package dev.fettle.internal.data;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.reflect.InvocationTargetException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The library that reads Parquet. Its classes are of Java 21, which a compiler of Java 17 cannot read: all of its methods that are
 * called are named here, as text.
 */
final class Hardwood {
  private static final int JAVA = 21;
  private static final String BUILDER = "reader.ParquetFileReader$RowReaderBuilder";
  /** Bytes of groups of rows that are read together. */
  private static final long PORTION = 16L << 20;
  private static final Cleaner CLEANER = Cleaner.create();
  private static final Map<String, Class<?>> CLASSES = new ConcurrentHashMap<>();
  /** It tells which codecs it found. Whoever has set a level of its own keeps it. */
  private static final Logger LOG = Logger.getLogger("dev.hardwood");

  static {
    if (LOG.getLevel() == null) {
      LOG.setLevel(Level.WARNING);
    }
  }

  private final Groups groups;
  private final Cleaner.Cleanable closer;

  private Hardwood(Object owner, Groups groups) {
    this.groups = groups;
    this.closer = CLEANER.register(owner, groups::close);
  }

  /** A file, and a reader of some of its groups of rows: the library holds as many rows as it is given at once. */
  private static final class Groups {
    private final Object file;
    private final List<?> groups;
    private int next;
    private long before;
    private Object rows;

    Groups(Object file) throws ReflectiveOperationException {
      this.file = file;
      this.groups = (List<?>) call("metadata.FileMetaData", call("reader.ParquetFileReader", file, "getFileMetaData"), "rowGroups");
    }

    /** Goes to the next row; false at the end. */
    boolean advance() throws ReflectiveOperationException {
      while (rows == null || !(boolean) call("reader.RowReader", rows, "hasNext")) {
        quietly("reader.RowReader", rows);
        rows = null;
        if (next == groups.size()) {
          return false;
        }
        long count = 0;
        for (long bytes = 0; next < groups.size() && (count == 0 || bytes < PORTION); next++) {
          bytes += (long) call("metadata.RowGroup", groups.get(next), "totalByteSize");
          count += (long) call("metadata.RowGroup", groups.get(next), "numRows");
        }
        if (count > 0) {
          Object builder = call("reader.ParquetFileReader", file, "buildRowReader");
          builder = call(BUILDER, builder, "skip", long.class, before);
          builder = call(BUILDER, builder, "head", long.class, count);
          rows = call(BUILDER, builder, "build");
          before += count;
        }
      }
      call("reader.RowReader", rows, "next");
      return true;
    }

    void close() {
      quietly("reader.RowReader", rows);
      quietly("reader.ParquetFileReader", file);
    }
  }

  /**
   * Checks that it can be used, before anything is read or fetched.
   *
   * @throws FettleException if this Java is too old for it, or it is not on the class path
   */
  static void require(String file) {
    int java = Runtime.version().feature();
    if (java < JAVA) {
      throw new FettleException(file + ": Parquet is read by Hardwood, which needs Java " + JAVA + " or newer, and this is Java " + java
          + ". Run with a newer Java, or write the file as JSON Lines, such as with Python: "
          + "pandas.read_parquet(file).to_json(\"data.jsonl\", orient=\"records\", lines=True)");
    }
    try {
      type("reader.ParquetFileReader");
    } catch (ClassNotFoundException e) {
      throw new FettleException(file + ": Parquet is read by Hardwood, which is not on the class path: add dev.fettle:fettle, or "
          + "dev.hardwood:hardwood-core and org.xerial.snappy:snappy-java", e);
    }
  }

  /** Opens a file, which is closed with this or when its owner is no longer in use. */
  static Hardwood open(Object owner, Path file) {
    require(file.toString());
    Object opened = null;
    try {
      opened = type("reader.ParquetFileReader").getMethod("open", type("InputFile"))
          .invoke(null, type("InputFile").getMethod("of", Path.class).invoke(null, file));
      return new Hardwood(owner, new Groups(opened));
    } catch (ReflectiveOperationException | LinkageError e) {
      quietly("reader.ParquetFileReader", opened);
      throw unread(file, file.toString(), e);
    }
  }

  /** The next row; {@code null} at the end. */
  ObjectNode next(Path file, long number) {
    try {
      return groups.advance() ? object(groups.rows) : null;
    } catch (ReflectiveOperationException | LinkageError e) {
      close();
      throw unread(file, file + ", row " + number, e);
    }
  }

  void close() {
    closer.clean();
  }

  private static ObjectNode object(Object struct) throws ReflectiveOperationException {
    ObjectNode object = new ObjectNode();
    int count = (int) call("row.FieldAccessor", struct, "getFieldCount");
    for (int i = 0; i < count; i++) {
      object.set((String) call("row.FieldAccessor", struct, "getFieldName", int.class, i),
          value(call("row.StructAccessor", struct, "getValue", int.class, i)));
    }
    return object;
  }

  private static JsonNode value(Object value) throws ReflectiveOperationException {
    if (value == null) {
      return JsonNode.of(null);
    } else if (value instanceof Boolean truth) {
      return JsonNode.of(truth);
    } else if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte) {
      return JsonNode.of(((Number) value).longValue());
    } else if (value instanceof BigInteger whole) {
      return JsonNode.of(whole);
    } else if (value instanceof BigDecimal decimal) {
      return JsonNode.of(decimal);
    } else if (value instanceof Number number) {
      return JsonNode.of(number.doubleValue());
    } else if (value instanceof byte[] bytes) {
      return JsonNode.of(new String(bytes, StandardCharsets.UTF_8));
    } else if (type("row.PqStruct").isInstance(value)) {
      return object(value);
    } else if (type("row.PqList").isInstance(value)) {
      ArrayNode list = new ArrayNode();
      for (Object element : (List<?>) call("row.PqList", value, "values")) {
        list.add(value(element));
      }
      return list;
    } else if (type("row.PqMap").isInstance(value)) {
      ObjectNode map = new ObjectNode();
      for (Object entry : (List<?>) call("row.PqMap", value, "getEntries")) {
        map.set(String.valueOf(call("row.PqMap$Entry", entry, "getKey")), value(call("row.PqMap$Entry", entry, "getValue")));
      }
      return map;
    }
    return JsonNode.of(value.toString());
  }

  private static Class<?> type(String name) throws ClassNotFoundException {
    Class<?> type = CLASSES.get(name);
    if (type == null) {
      type = Class.forName("dev.hardwood." + name);
      CLASSES.put(name, type);
    }
    return type;
  }

  private static Object call(String type, Object on, String method) throws ReflectiveOperationException {
    return type(type).getMethod(method).invoke(on);
  }

  private static Object call(String type, Object on, String method, Class<?> parameter, Object argument)
      throws ReflectiveOperationException {
    return type(type).getMethod(method, parameter).invoke(on, argument);
  }

  private static void quietly(String type, Object opened) {
    try {
      if (opened != null) {
        call(type, opened, "close");
      }
    } catch (ReflectiveOperationException e) {
      // Nothing was written, so nothing is lost.
    }
  }

  private static FettleException unread(Path file, String where, Throwable e) {
    Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
    for (Throwable deep = cause; deep != null; deep = deep.getCause()) {
      if (deep instanceof OutOfMemoryError) {
        return new FettleException(where + ": its groups of rows need more memory than Java may take; give it more (-Xmx), or write the "
            + "file with smaller groups", cause);
      }
    }
    if (cause instanceof Error error && !(cause instanceof LinkageError)) {
      throw error;
    }
    String reason = cause instanceof IOException io ? FileErrors.reason(file, io)
        : cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return new InvalidInputException(where + ": this is not Parquet that Hardwood can read: " + JsonForms.excerpt(reason), cause);
  }
}
