package dev.fettle.internal.recipe;

import dev.fettle.FettleException;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Run;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import javax.imageio.ImageIO;

/** A run as one page of HTML that needs nothing else: pictures are within it, for a light and a dark screen. */
public final class Report {
  private static final List<String> CURVES = List.of("reward", "margin", "accuracy", "reverse_kl", "kl_base",
      "learning_rate", "gradient_norm", "tokens_per_second");
  private static final String STYLE = """
      :root { color-scheme: light dark; --ground: #fff; --ink: #1f2328; --faint: #59636e; --line: #e3e6ea; }
      @media (prefers-color-scheme: dark) {
        :root { --ground: #14181d; --ink: #e6eaef; --faint: #9ba7b4; --line: #2c333b; }
      }
      body { background: var(--ground); color: var(--ink); font: 16px/1.5 sans-serif; max-width: 900px;
        margin: 2rem auto; padding: 0 1rem; }
      h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
      img { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
      table { border-collapse: collapse; width: 100%; font-size: 14px; }
      td, th { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top;
        overflow-wrap: anywhere; white-space: pre-wrap; }
      th { color: var(--faint); font-weight: normal; } td:first-child { min-width: 9rem; }
      """;

  /** Puts a new page in the place of the old one when there is one, and leaves the last one when nothing answers any more. */
  private static final String FOLLOW = """
      <script>
      let shown = "";
      setInterval(async () => {
        try {
          const state = await (await fetch("/state")).text();
          if (state !== shown) {
            const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
            document.title = page.title;
            document.body.replaceChildren(...page.body.childNodes);
            shown = state;
          }
        } catch (gone) {
          if (!document.title.startsWith("Ended: ")) {
            document.title = "Ended: " + document.title;
          }
        }
      }, 1000);
      </script>
      """;
  private static final String EVERY_TEN_SECONDS = "<meta http-equiv=\"refresh\" content=\"10\">\n";

  private Report() {}

  /** Whether a run has not ended. */
  public static boolean isRunning(Run run) {
    return run.ending().equals(RunFiles.RUNNING);
  }

  /** A page that follows the server that it comes from. */
  public static String live(Run run, Map<String, Object> about) {
    return html(run, about, List.of(), FOLLOW);
  }

  /** The same before there is a run. */
  public static String waiting() {
    return head("Fettle", FOLLOW).append("<p>No run has begun.</p>\n</body>\n</html>\n").toString();
  }

  /** A page that, while the run goes on, is loaded again every ten seconds. */
  static String html(Run run, Map<String, Object> about, List<ReportSample> samples) {
    return html(run, about, samples, isRunning(run) ? EVERY_TEN_SECONDS : "");
  }

  private static StringBuilder head(String title, String more) {
    return new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n").append(more)
        .append("<meta name=\"viewport\" content=\"width=device-width\">\n<title>").append(text(title))
        .append("</title>\n<style>\n").append(STYLE).append("</style>\n</head>\n<body>\n<h1>").append(text(title))
        .append("</h1>\n");
  }

  private static String html(Run run, Map<String, Object> about, List<ReportSample> samples, String more) {
    StringBuilder page = head(title(run), more).append("<p>").append(text(summary(run))).append("</p>\n");
    if (run.series("loss").y().length > 0) {
      boolean supervised = run.recipe().equals("sft");
      picture(page, "Loss", charts -> supervised ? charts.lossCurve(run) : charts.curve(run, "loss"));
    }
    CURVES.stream().filter(run.metrics()::contains).forEach(m -> picture(page, m, charts -> charts.curve(run, m)));
    if (!samples.isEmpty()) {
      page.append("<h2>Samples</h2>\n<table>\n<tr><th>prompt</th><th>expected</th><th>before</th><th>after</th></tr>\n");
      for (ReportSample s : samples) {
        page.append("<tr>");
        for (String cell : List.of(s.prompt(), s.expected(), s.before(), s.after())) {
          page.append("<td>").append(text(cell)).append("</td>");
        }
        page.append("</tr>\n");
      }
      page.append("</table>\n");
    }
    page.append("<h2>Settings</h2>\n<table>\n");
    rows(page, "", about);
    return page.append("</table>\n</body>\n</html>\n").toString();
  }

  private static String title(Run run) {
    return run.recipe().toUpperCase(Locale.ROOT) + " of " + run.training().model().name();
  }

  private static String summary(Run run) {
    double seconds = run.steps().isEmpty() ? 0 : run.steps().get(run.steps().size() - 1).value("seconds");
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%d steps in %.0f seconds; %s.", run.steps().size(),
        seconds, run.ending()));
    for (String metric : List.of("loss", "validation_loss", "reward", "margin")) {
      double[] values = run.series(metric).y();
      if (values.length > 0) {
        int last = metric.equals("validation_loss") ? 1 : Math.min(run.lastSteps(), values.length);
        text.append(String.format(Locale.ROOT, " %s: %.4f at first, %.4f %s.", metric.replace('_', ' '), values[0],
            run.last(metric, last), last == 1 ? "at last" : "over the last " + last + " steps"));
      }
    }
    if (run.best() > 0) {
      text.append(" The weights kept are those of step ").append(run.best()).append('.');
    }
    return text.toString();
  }

  private static void picture(StringBuilder page, String name, Function<Charts, BufferedImage> drawn) {
    page.append("<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"").append(data(drawn.apply(Charts.dark())))
        .append("\"><img width=\"900\" alt=\"").append(text(name)).append(" by step\" src=\"")
        .append(data(drawn.apply(Charts.light()))).append("\"></picture>\n");
  }

  private static String data(BufferedImage image) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new FettleException("a picture could not be written: " + e, e);
    }
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  private static void rows(StringBuilder page, String prefix, Map<?, ?> values) {
    values.forEach((key, value) -> {
      if (value instanceof Map<?, ?> inner) {
        rows(page, prefix + key + ": ", inner);
      } else {
        page.append("<tr><th>").append(text(prefix + String.valueOf(key).replace('_', ' '))).append("</th><td>")
            .append(text(String.valueOf(value))).append("</td></tr>\n");
      }
    });
  }

  private static String text(String raw) {
    StringBuilder safe = new StringBuilder();
    raw.codePoints().forEach(c -> {
      switch (c) {
        case '<' -> safe.append("&lt;");
        case '>' -> safe.append("&gt;");
        case '&' -> safe.append("&amp;");
        case '"' -> safe.append("&quot;");
        default -> safe.appendCodePoint(Character.isISOControl(c) && c != '\n' ? 0xFFFD : c);
      }
    });
    return safe.toString();
  }
}
