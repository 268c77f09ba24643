package com.example.chat;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Trains when it starts, and answers with what it trained. */
@SpringBootApplication
public class ChatApplication {

  public static void main(String[] args) {
    SpringApplication.run(ChatApplication.class, args);
  }

  @Bean
  Fettle fettle() {
    return Fettle.local();
  }

  @Bean
  Training training(Fettle fettle) throws IOException {
    Path file = Files.createTempFile("chats", ".jsonl");
    Files.writeString(file, """
        {"messages": [{"role": "user", "content": "Say blue."}, {"role": "assistant", "content": "blue"}]}
        """);
    Training training = fettle.load("fettle-tiny").tune(Lora.rank(4));
    for (Batch batch : Dataset.jsonl(file).batches(1, training.renderer())) {
      training.step(batch, Loss.crossEntropy(), AdamW.learningRate(1e-3));
    }
    Files.delete(file);
    return training;
  }
}
