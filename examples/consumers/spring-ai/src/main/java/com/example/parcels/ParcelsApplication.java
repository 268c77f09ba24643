package com.example.parcels;

import org.springframework.ai.chat.client.ChatClient;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Asks whatever {@code spring.ai.openai.base-url} names. */
@SpringBootApplication
public class ParcelsApplication {
  @Bean
  ChatClient chat(ChatClient.Builder builder) {
    return builder.build();
  }
}
