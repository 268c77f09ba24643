package com.example.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

class ChatApplicationTest {

  @Test
  void itTrainsServesARequestAndLogsNothingOfFettlesLibraries() throws Exception {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true));
    try (ConfigurableApplicationContext context = SpringApplication.run(ChatApplication.class, "--server.port=0")) {
      String port = context.getEnvironment().getProperty("local.server.port");
      HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
              URI.create("http://localhost:" + port + "/chat")).header("Content-Type", "application/json")
          .POST(HttpRequest.BodyPublishers.ofString("{\"text\": \"Hello!\"}")).build(), HttpResponse.BodyHandlers.ofString());
      assertEquals(200, answer.statusCode(), answer.body());
      assertTrue(answer.body().matches("\\{\"text\":\".*\",\"tokens\":[1-8],\"steps\":1}"), answer.body());
    } finally {
      System.setOut(console);
    }
    String log = printed.toString();
    assertTrue(log.contains("Tomcat started on port"), log);
    List<String> foreign = log.lines().filter(line -> line.matches(".* (WARN|ERROR) .*|.*ai\\.djl.*")).toList();
    assertEquals(List.of(), foreign);
  }
}
