import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * What {@code Bench embed} measures, done by LangChain4j on ONNX Runtime: the texts that {@code Bench embed --dump FILE} wrote,
 * the first list of them not timed. The last line is JSON. Run as a source file, with the class path of {@code onnx.pom.xml}:
 * {@code java -cp ... OnnxBench.java FILE THREADS}.
 */
final class OnnxBench {
  private OnnxBench() {}

  public static void main(String[] args) throws Exception {
    String[][] read = new ObjectMapper().readValue(Path.of(args[0]).toFile(), String[][].class);
    List<List<String>> calls = Arrays.stream(read).map(List::of).toList();
    EmbeddingModel model = new AllMiniLmL6V2EmbeddingModel(Executors.newFixedThreadPool(Integer.parseInt(args[1]), work -> {
      Thread thread = new Thread(work);
      thread.setDaemon(true);
      return thread;
    }));
    double[] seconds = new double[calls.size() - 1];
    float[] first = {};
    for (int i = 0; i < calls.size(); i++) {
      List<TextSegment> texts = calls.get(i).stream().map(TextSegment::from).toList();
      long start = System.nanoTime();
      first = model.embedAll(texts).content().get(0).vector();
      if (i > 0) {
        seconds[i - 1] = (System.nanoTime() - start) / 1e9;
      }
    }
    Arrays.sort(seconds);
    double median = (seconds[(seconds.length - 1) / 2] + seconds[seconds.length / 2]) / 2;
    System.out.println(new ObjectMapper().writeValueAsString(Map.of("documents_per_second", calls.get(0).size() / median,
        "seconds", median, "peak_rss_bytes", peakBytes(), "vector", first)));
    System.exit(0);
  }

  private static long peakBytes() throws java.io.IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).findFirst().orElse(0) * 1024;
    }
  }
}
