package com.example.parcels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Spring AI's client asks a server of this process for a model that was tuned by one step. */
class ParcelsApplicationTest {
  private static final String QUESTION = "Where is my parcel?";

  @TempDir
  private Path directory;

  private static ConfigurableApplicationContext start(FettleServer server, String model) {
    return SpringApplication.run(ParcelsApplication.class, "--spring.main.web-application-type=none", "--spring.main.banner-mode=off",
        "--logging.level.root=warn", "--spring.ai.openai.base-url=" + server.uri(), "--spring.ai.openai.api-key=none",
        "--spring.ai.openai.chat.options.model=" + model, "--spring.ai.openai.chat.options.temperature=0",
        "--spring.ai.openai.chat.options.max-tokens=8", "--spring.ai.openai.embedding.options.model=" + model);
  }

  @Test
  void itIsServed() {
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(4));
      Conversation chat = Conversation.of(Message.user(QUESTION), Message.assistant("It is on its way."));
      Datum datum = training.renderer().render(chat).get(0).datum();
      training.step(Batch.of(datum), Loss.crossEntropy(), AdamW.learningRate(1e-3));
      training.saveAdapter(directory.resolve("parcels"));
      String expected = training.sampler().chat(Conversation.of(Message.user(QUESTION)), SamplingParams.greedy().maxTokens(8)).content();
      try (FettleServer server = FettleServer.serve(fettle, training.model()).adapter("parcels", directory.resolve("parcels")).start();
          ConfigurableApplicationContext context = start(server, "parcels")) {
        ChatClient client = context.getBean(ChatClient.class);

        String answer = client.prompt(QUESTION).call().content();
        List<String> streamed = client.prompt(QUESTION).stream().content().collectList().block();

        assertEquals(expected, answer);
        assertEquals(expected, String.join("", streamed));
      }
    }
  }

  @Test
  void itsClientOfEmbeddingsIsServed() {
    String encoder = System.getProperty("encoder");
    assumeTrue(encoder != null, "-Dencoder names no directory of an encoder");
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Path.of(encoder));
      try (FettleServer server = FettleServer.serve(fettle, model).name("encoder").start();
          ConfigurableApplicationContext context = start(server, "encoder")) {
        float[] vector = context.getBean(EmbeddingModel.class).embed("heat");

        float[] expected = model.embed("heat").get(0);
        assertEquals(expected.length, vector.length);
        for (int i = 0; i < vector.length; i++) {
          assertEquals(expected[i], vector[i], 1e-5);
        }
      }
    }
  }
}
