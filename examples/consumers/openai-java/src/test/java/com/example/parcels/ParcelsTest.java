package com.example.parcels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.models.Model;
import dev.fettle.AdamW;
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
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's client asks a server of this process for a model that was tuned by one step. */
class ParcelsTest {
  private static final String QUESTION = "Where is my parcel?";

  @TempDir
  private Path directory;

  private static ChatCompletionCreateParams params(String model) {
    return ChatCompletionCreateParams.builder().model(model).addUserMessage(QUESTION).temperature(0).maxCompletionTokens(8).build();
  }

  @Test
  void itIsServed() {
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(4));
      Conversation chat = Conversation.of(Message.user(QUESTION), Message.assistant("It is on its way."));
      Datum datum = training.renderer().render(chat).get(0).datum();
      training.step(Batch.of(datum), Loss.crossEntropy(), AdamW.learningRate(1e-3));
      training.saveAdapter(directory.resolve("parcels"));
      Conversation question = Conversation.of(Message.user(QUESTION));
      String expected = training.sampler().chat(question, SamplingParams.greedy().maxTokens(8)).content();
      try (FettleServer server = FettleServer.serve(fettle, training.model()).adapter("parcels", directory.resolve("parcels"))
          .token(() -> "secret").start()) {
        OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(server.uri() + "/v1").apiKey("secret").maxRetries(0).build();

        ChatCompletion answer = client.chat().completions().create(params("parcels"));
        String streamed;
        try (StreamResponse<ChatCompletionChunk> stream = client.chat().completions().createStreaming(params("parcels"))) {
          streamed = stream.stream().flatMap(chunk -> chunk.choices().stream()).flatMap(choice -> choice.delta().content().stream())
              .collect(Collectors.joining());
        }

        assertEquals(expected, answer.choices().get(0).message().content().orElseThrow());
        assertEquals(expected, streamed);
        assertEquals(training.renderer().prompt(question).length, answer.usage().orElseThrow().promptTokens());
        assertTrue(client.models().list().items().stream().map(Model::id).toList().contains("parcels"));
        NotFoundException missing = assertThrows(NotFoundException.class, () -> client.chat().completions().create(params("letters")));
        assertTrue(missing.getMessage().contains("letters"), missing.getMessage());
        client.close();
      }
    }
  }
}
