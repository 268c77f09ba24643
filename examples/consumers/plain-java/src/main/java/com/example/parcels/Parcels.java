package com.example.parcels;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Training;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

/** Trains a step and asks a server of its own. */
public final class Parcels {
  /** Without blocks of text: Debian's Gradle compiles nothing newer than Java 12. */
  private static final String CHAT = "{\"messages\": [{\"role\": \"user\", \"content\": \"Where is my parcel?\"}, "
      + "{\"role\": \"assistant\", \"content\": \"On its way.\"}]}\n";
  private static final String REQUEST = "{\"model\": \"parcels\", \"max_tokens\": 8, \"temperature\": 0, "
      + "\"messages\": [{\"role\": \"user\", \"content\": \"Where is my parcel?\"}]}";

  private Parcels() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    Path data = directory.resolve("train.jsonl");
    Files.writeString(data, CHAT);
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(4));
      for (Batch batch : Dataset.jsonl(data).batches(1, training.renderer())) {
        training.step(batch, Loss.crossEntropy(), AdamW.learningRate(1e-3));
      }
      training.saveAdapter(directory.resolve("parcels"));
      try (FettleServer server = FettleServer.serve(fettle, training.model()).adapter("parcels", directory.resolve("parcels")).start()) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.uri() + "/v1/chat/completions"))
            .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(REQUEST)).build();
        System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
        System.out.println(training.sampler().chat("Where is my parcel?"));
      }
    }
  }
}
