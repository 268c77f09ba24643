package dev.fettle.internal.data;

import dev.fettle.Dataset;
import dev.fettle.Example;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;

/** For a Java that can read Parquet: compares its rows with those of a file of JSON Lines, and prints how many there are. */
final class ParquetMain {
  private ParquetMain() {}

  /** The two files, then fields. */
  public static void main(String[] args) {
    String[] fields = Arrays.copyOfRange(args, 2, args.length);
    Dataset parquet = Dataset.parquet(Path.of(args[0]));
    Dataset lines = Dataset.jsonl(Path.of(args[1]));
    Iterator<Example> expected = (fields.length == 0 ? lines : lines.fields(fields)).examples().iterator();
    int count = 0;
    for (Example example : (fields.length == 0 ? parquet : parquet.fields(fields)).examples()) {
      if (!example.equals(expected.next())) {
        throw new AssertionError("row " + (count + 1) + ": " + example);
      }
      count++;
    }
    if (expected.hasNext()) {
      throw new AssertionError("after row " + count + " nothing came");
    }
    System.out.println(count);
  }
}
