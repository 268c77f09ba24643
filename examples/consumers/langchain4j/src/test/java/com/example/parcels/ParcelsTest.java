package com.example.parcels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Message;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParcelsTest {
  private static final String QUESTION = "Where is my parcel?";

  @TempDir
  private Path directory;

  private static String expected(Training training) {
    return training.sampler().chat(Conversation.of(Message.user(QUESTION)), SamplingParams.greedy().maxTokens(8)).content();
  }

  @Test
  void aServiceOfLangChain4jAnswersWithWhatWasTuned() throws Exception {
    try (Fettle fettle = Fettle.local()) {
      Training training = Parcels.trained(fettle);
      CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
      StringBuilder pieces = new StringBuilder();

      assertEquals(expected(training), Parcels.assistant(training).answer(QUESTION));
      Parcels.assistant(training).stream(QUESTION).onPartialResponse(pieces::append).onCompleteResponse(streamed::complete)
          .onError(streamed::completeExceptionally).start();

      ChatResponse response = streamed.get(1, TimeUnit.MINUTES);
      assertEquals(expected(training), response.aiMessage().text());
      assertEquals(expected(training), pieces.toString());
    }
  }

  @Test
  void itsClientsOfOpenAiAreServed() throws Exception {
    try (Fettle fettle = Fettle.local()) {
      Training training = Parcels.trained(fettle);
      try (FettleServer server = Parcels.server(fettle, training, directory)) {
        String url = server.uri() + "/v1";
        OpenAiChatModel model = OpenAiChatModel.builder().baseUrl(url).apiKey("none").modelName("parcels").temperature(0.0)
            .maxTokens(8).build();
        CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();

        ChatResponse response = model.chat(UserMessage.from(QUESTION));
        OpenAiStreamingChatModel.builder().baseUrl(url).apiKey("none").modelName("parcels").temperature(0.0).maxTokens(8).build()
            .chat(QUESTION, new StreamingChatResponseHandler() {
              @Override
              public void onCompleteResponse(ChatResponse complete) {
                streamed.complete(complete);
              }

              @Override
              public void onError(Throwable error) {
                streamed.completeExceptionally(error);
              }
            });

        assertEquals(expected(training), response.aiMessage().text());
        assertEquals("parcels", response.modelName());
        assertEquals(training.renderer().prompt(Conversation.of(Message.user(QUESTION))).length, response.tokenUsage().inputTokenCount());
        assertEquals(response.finishReason() == FinishReason.LENGTH, response.tokenUsage().outputTokenCount() == 8);
        assertEquals(response.aiMessage().text(), streamed.get(1, TimeUnit.MINUTES).aiMessage().text());
      }
    }
  }

  @Test
  void itsClientOfEmbeddingsIsServed() {
    String encoder = System.getProperty("encoder");
    assumeTrue(encoder != null, "-Dencoder names no directory of an encoder");
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Path.of(encoder));
      try (FettleServer server = FettleServer.serve(fettle, model).name("encoder").start()) {
        OpenAiEmbeddingModel client = OpenAiEmbeddingModel.builder().baseUrl(server.uri() + "/v1").apiKey("none").modelName("encoder").build();

        float[] vector = client.embed("heat").content().vector();

        float[] expected = model.embed("heat").get(0);
        assertEquals(expected.length, vector.length);
        for (int i = 0; i < vector.length; i++) {
          assertEquals(expected[i], vector[i], 1e-5);
        }
      }
    }
  }
}
