package com.example.parcels;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Training;
import dev.fettle.langchain4j.FettleChatModel;
import dev.fettle.langchain4j.FettleStreamingChatModel;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import java.nio.file.Path;

/** Tunes a model and gives it to LangChain4j, in this process or over HTTP. */
public final class Parcels {
  /** What LangChain4j writes an implementation of. */
  public interface Assistant {
    String answer(String question);

    TokenStream stream(String question);
  }

  private Parcels() {}

  public static Training trained(Fettle fettle) {
    Training training = fettle.load("fettle-tiny").tune(Lora.rank(4));
    Conversation chat = Conversation.of(Message.user("Where is my parcel?"), Message.assistant("It is on its way."));
    Datum datum = training.renderer().render(chat).get(0).datum();
    training.step(Batch.of(datum), Loss.crossEntropy(), AdamW.learningRate(1e-3));
    return training;
  }

  public static Assistant assistant(Training training) {
    return AiServices.builder(Assistant.class)
        .chatModel(FettleChatModel.builder().sampler(training.sampler()).maxOutputTokens(8).build())
        .streamingChatModel(FettleStreamingChatModel.builder().sampler(training.sampler()).maxOutputTokens(8).build())
        .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
        .build();
  }

  public static FettleServer server(Fettle fettle, Training training, Path directory) {
    training.saveAdapter(directory.resolve("parcels"));
    return FettleServer.serve(fettle, training.model()).adapter("parcels", directory.resolve("parcels")).start();
  }
}
