package dev.fettle.examples.tiny;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.fettle.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTrainerTest {
  private static final int SIZE = 600;

  @TempDir
  static Path directory;

  private static TokenizerTrainer trainer;

  @BeforeAll
  static void train() throws Exception {
    trainer = TokenizerTrainer.train(Corpus.stream(1).limit(2000), SIZE);
    trainer.write(directory);
  }

  @Test
  void any_text_comes_back_unchanged() throws Exception {
    String[] texts = {"Where is my parcel 48213?", "refund item: blue lamp, reason: broken",
        " two  spaces\n\n\tand tabs ", "na\u00efve caf\u00e9 \u2603 \u6f22\u5b57 \ud83d\ude00", "<|im_start|>user\nHi<|im_end|>\n"};
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(directory.resolve("tokenizer.json"))) {
      for (String text : texts) {
        assertThat(tokenizer.decode(tokenizer.encode(text, false, false).getIds(), false)).isEqualTo(text);
      }
    }
  }

  @Test
  void words_are_merged_and_digits_stay_apart() throws Exception {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(directory.resolve("tokenizer.json"))) {
      assertThat(tokenizer.encode(" parcel 4821", false, false).getTokens())
          .containsExactly("\u0120parcel", "\u0120", "4", "8", "2", "1");
    }
  }

  @Test
  void special_tokens_are_the_last_ids() throws Exception {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(directory.resolve("tokenizer.json"))) {
      assertThat(tokenizer.encode("<|endoftext|><|im_start|><|im_end|>", false, false).getIds())
          .containsExactly(SIZE - 3, SIZE - 2, SIZE - 1);
    }
    assertThat(trainer.id(TokenizerTrainer.END)).isEqualTo(SIZE - 1);
  }

  @Test
  void the_same_text_gives_the_same_file(@TempDir Path again) throws Exception {
    TokenizerTrainer.train(Corpus.stream(1).limit(2000), SIZE).write(again);

    for (String file : new String[] {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
      assertThat(Files.readString(again.resolve(file))).isEqualTo(Files.readString(directory.resolve(file)));
    }
  }

  @Test
  void a_size_without_room_for_the_bytes_is_refused() {
    assertThatThrownBy(() -> TokenizerTrainer.train(Corpus.stream(1).limit(1), 258))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("size = 258");
  }
}
