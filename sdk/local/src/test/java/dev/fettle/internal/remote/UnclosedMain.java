package dev.fettle.internal.remote;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.net.URI;

/** A program that closes nothing. */
final class UnclosedMain {
  private UnclosedMain() {}

  public static void main(String[] args) {
    Training training = Fettle.remote(URI.create(args[0])).load("fettle-tiny").tune(Lora.rank(8));
    training.step(Batch.of(Datum.of(1, 2, 3)), Loss.crossEntropy(), AdamW.learningRate(1e-3));
    training.async().forward(Batch.of(Datum.of(1, 2, 3)), Loss.crossEntropy());
    System.out.println(training.sampler().sample(new int[] {1, 2}, SamplingParams.greedy().maxTokens(3)).get(0).tokens().length);
  }
}
