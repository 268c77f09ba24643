package dev.fettle.internal.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.DjlSettings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/** Hugging Face's tokenizer library, never truncating, padding or adding a token. Its memory goes with the object. */
final class NativeTokenizer {
  private static final Map<String, String> PLAIN =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");
  /** Characters of a part of a long text: what the library writes down about them stays in the processor's cache. */
  private static final int PART = 8192;
  /** Parts between two looks at whether the thread was interrupted. */
  private static final int AT_ONCE = 64;

  static {
    DjlSettings.apply();
  }

  private static final TokenizersLibrary CALLS = TokenizersLibrary.LIB;

  private final Path path;
  private final Cuts cuts;
  private final HuggingFaceTokenizer library;

  /** The tokenizer that a JSON text describes; {@code path} names it in errors. */
  NativeTokenizer(Path path, byte[] json, Cuts cuts) {
    this.path = path;
    this.cuts = cuts;
    try {
      library = HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), PLAIN);
    } catch (IOException | RuntimeException | LinkageError e) {
      throw new InvalidInputException(path + " is refused by the tokenizer library: " + e.getMessage(), e);
    }
  }

  int[] encode(String text) {
    return text.length() < 2 * PART ? whole(text, false) : inParts(text, PART);
  }

  /** The same ids, part by part on all cores. */
  int[] inParts(String text, int least) {
    List<int[]> done = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      if (Thread.currentThread().isInterrupted()) {
        throw new FettleException("tokenizing a text of " + text.length() + " characters: interrupted after " + at);
      }
      List<String> parts = new ArrayList<>();
      while (at < text.length() && parts.size() < AT_ONCE) {
        int end = cuts.end(text, at + least);
        parts.add(text.substring(at, end));
        at = cuts.resume(text, end);
      }
      parts.parallelStream().map(part -> whole(part, false)).forEachOrdered(done::add);
    }
    int[] all = new int[done.stream().mapToInt(ids -> ids.length).sum()];
    int length = 0;
    for (int[] ids : done) {
      System.arraycopy(ids, 0, all, length, ids.length);
      length += ids.length;
    }
    return all;
  }

  /** The ids of a text that is not cut; with the tokens that the post-processor adds, if they are asked for. */
  int[] whole(String text, boolean framed) {
    // HuggingFaceTokenizer.encode would also make a string, a span and five numbers of each token.
    return encoded(text.length(), () -> CALLS.encode(library.getHandle(), wellFormed(text), framed),
        encoding -> narrow(CALLS.getTokenIds(encoding)));
  }

  /** What is read of an encoding, which then is freed. */
  private <T> T encoded(int characters, LongSupplier encode, LongFunction<T> read) {
    try {
      long encoding = encode.getAsLong();
      try {
        return read.apply(encoding);
      } finally {
        CALLS.deleteEncoding(encoding);
      }
    } catch (RuntimeException e) {
      throw new InvalidInputException(path + " cannot encode a text of " + characters + " characters: " + e.getMessage(), e);
    } finally {
      Reference.reachabilityFence(library);
    }
  }

  /** The ids of two short texts with what the post-processor adds, and their segments. */
  int[][] pair(String first, String second) {
    return encoded(first.length() + second.length(), () -> CALLS.encodeDual(library.getHandle(), first, second, true),
        encoding -> new int[][] {narrow(CALLS.getTokenIds(encoding)), narrow(CALLS.getTypeIds(encoding))});
  }

  private static int[] narrow(long[] ids) {
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /** The ids of a text and where each begins. */
  Spans spans(String text) {
    Spans all = new Spans(new int[0], new int[0]);
    for (int at = 0; at < text.length(); ) {
      int end = text.length() - at < 2 * PART ? text.length() : cuts.end(text, at + PART);
      all = all.plus(wholeSpans(text.substring(at, end)), at);
      at = cuts.resume(text, end);
    }
    return all;
  }

  private Spans wholeSpans(String text) {
    return encoded(text.length(), () -> CALLS.encode(library.getHandle(), wellFormed(text), false), encoding -> {
      CharSpan[] spans = CALLS.getTokenCharSpans(encoding);
      int[] starts = new int[spans.length];
      Positions positions = new Positions(text);
      for (int i = 0; i < starts.length; i++) {
        starts[i] = positions.begin(spans[i]);
      }
      return new Spans(narrow(CALLS.getTokenIds(encoding)), starts);
    });
  }

  /** Code points, in which the library counts, as Java's characters. */
  private static final class Positions {
    private final String text;
    private int points;
    private int chars;
    private int end;

    Positions(String text) {
      this.text = text;
    }

    /** Where a token begins; white space before it that no token holds is its own. */
    int begin(CharSpan span) {
      if (span == null) {
        return end;
      }
      int start = at(span.getStart());
      while (start > end && Character.isWhitespace(text.charAt(start - 1))) {
        start--;
      }
      end = Math.max(end, at(span.getEnd()));
      return start;
    }

    private int at(int point) {
      chars = text.offsetByCodePoints(chars, Math.min(point, text.length()) - points);
      points = point;
      return chars;
    }
  }

  String decode(int[] ids) {
    if (ids.length == 0) {
      return "";
    }
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    try {
      return library.decode(wide, false);
    } catch (RuntimeException e) {
      throw new InvalidInputException(path + " cannot decode " + ids.length + " ids: " + e.getMessage(), e);
    }
  }

  /** Half of a surrogate pair has no UTF-8 form; native code must not see it. */
  private static String wellFormed(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
  }
}
