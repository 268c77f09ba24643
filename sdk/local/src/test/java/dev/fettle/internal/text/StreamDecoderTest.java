package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamDecoderTest {
  private static String streamed(Tokenizer tokenizer, int[] prompt, int[] ids) {
    StreamDecoder decoder = new StreamDecoder(tokenizer, prompt);
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.append(id));
    }
    return text.append(decoder.rest()).toString();
  }

  private static void sameAsWhole(Tokenizer tokenizer, int[] prompt, int[] ids) {
    int[] both = Arrays.copyOf(prompt, prompt.length + ids.length);
    System.arraycopy(ids, 0, both, prompt.length, ids.length);
    String before = tokenizer.decode(prompt);
    assertThat(streamed(tokenizer, prompt, ids)).as(Arrays.toString(ids))
        .isEqualTo(tokenizer.decode(both).substring(before.length()));
  }

  @Test
  void aCharacterAppearsWhenItIsWhole() {
    Tokenizer tokenizer = TextFixtures.small();
    int[] ids = tokenizer.encode("\ud83d\ude00!");
    StreamDecoder decoder = new StreamDecoder(tokenizer);

    assertThat(ids).hasSize(5);
    assertThat(decoder.append(ids[0])).isEmpty();
    assertThat(decoder.append(ids[1])).isEmpty();
    assertThat(decoder.append(ids[2])).isEmpty();
    assertThat(decoder.append(ids[3])).isEqualTo("\ud83d\ude00");
    assertThat(decoder.append(ids[4])).isEqualTo("!");
    assertThat(decoder.rest()).isEmpty();
  }

  @Test
  void halfACharacterAtTheEndIsNotLost() {
    Tokenizer tokenizer = TextFixtures.small();
    assertThat(streamed(tokenizer, new int[0], Arrays.copyOf(tokenizer.encode("a\ud83d\ude00"), 3)))
        .isEqualTo("a\uFFFD");
  }

  @Test
  void specialTokensAndForeignIdsGiveNothing() {
    Tokenizer tokenizer = TextFixtures.small();
    int a = tokenizer.encode("a")[0];
    assertThat(streamed(tokenizer, new int[0], new int[] {tokenizer.id("<|im_end|>").orElseThrow(), a, -1, 1 << 20, a}))
        .isEqualTo("aa");
  }

  @Test
  void randomTokensOfTheSmallTokenizer() {
    randomTokens(TextFixtures.small());
  }

  @ParameterizedTest
  @ValueSource(strings = {"models/stories260K/hf", "tokenizers/gpt2"})
  void randomTokensOfRealTokenizers(String path) {
    randomTokens(Tokenizers.open(TextFixtures.shared(path)));
  }

  @Test
  void sentencePieceKeepsTheSpaceOfTheFirstNewWord() {
    Tokenizer tokenizer = Tokenizers.open(TextFixtures.shared("models/stories260K/hf"));
    int[] prompt = tokenizer.encode("Once upon");
    int[] ids = Arrays.copyOfRange(tokenizer.encode("Once upon a time \u4f60!"), prompt.length, 99);
    int end = ids.length;
    while (ids[end - 1] == 0) {
      end--;
    }
    assertThat(streamed(tokenizer, prompt, Arrays.copyOf(ids, end))).isEqualTo(" a time \u4f60!");
  }

  private static void randomTokens(Tokenizer tokenizer) {
    Random random = new Random(3);
    for (int round = 0; round < 300; round++) {
      int[] prompt = random.ints(1 + random.nextInt(12), 0, tokenizer.vocabSize()).toArray();
      int[] ids = random.ints(random.nextInt(30), 0, tokenizer.vocabSize()).toArray();
      // A prompt that ends within a character would have its own half of it replaced.
      int[] end = tokenizer.encode(" x");
      prompt = Arrays.copyOf(prompt, prompt.length + end.length);
      System.arraycopy(end, 0, prompt, prompt.length - end.length, end.length);
      sameAsWhole(tokenizer, prompt, ids);
      sameAsWhole(tokenizer, new int[0], ids);
    }
  }
}
