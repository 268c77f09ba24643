package com.example.chat;

import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import jakarta.annotation.PreDestroy;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ChatController {
  record Question(String text) {}

  record Answer(String text, int tokens, long steps) {}

  private final Training training;
  private final Sampler sampler;

  ChatController(Training training) {
    this.training = training;
    this.sampler = training.sampler();
  }

  @PostMapping("/chat")
  Answer chat(@RequestBody Question question) {
    Sample sample = sampler.sample(question.text(), SamplingParams.greedy().maxTokens(8)).get(0);
    return new Answer(sample.text(), sample.tokens().length, training.steps());
  }

  @PreDestroy
  void close() {
    sampler.close();
  }
}
