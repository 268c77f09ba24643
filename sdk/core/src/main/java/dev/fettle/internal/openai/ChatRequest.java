package dev.fettle.internal.openai;

import dev.fettle.Conversation;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.SamplingParams;
import dev.fettle.internal.data.ChatForms;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.text.PromptTokens;
import java.util.ArrayList;
import java.util.List;

/**
 * A chat that is to be continued.
 *
 * @param calling whether tools may be called
 * @param top how many of the likeliest tokens are told of each place; -1 where no logprobs are
 * @param usage whether the last event of a stream says how many tokens there were
 */
record ChatRequest(Served model, Renderer renderer, int[] prompt, boolean calling, SamplingParams params, int top, boolean stream,
    boolean usage) {
  static ChatRequest of(Fields f, ServedModels models, Bounds bounds) {
    Served model = models.of(f);
    SamplingParams params = SamplingFields.params(f, bounds.choices());
    Integer limit = f.count("max_completion_tokens", 1, Integer.MAX_VALUE);
    Integer older = f.count("max_tokens", 1, Integer.MAX_VALUE);
    boolean stream = f.flag("stream", false);
    boolean usage = Streaming.usage(f, stream);
    int top = f.flag("logprobs", false) ? f.count("top_logprobs", 0, 0, SamplingFields.MOST_LOGPROBS) : withoutLogprobs(f);
    refused(f);
    Renderer renderer = renderer(f, model.sampler().renderer());
    Conversation chat = new Conversation(messages(f), tools(f));
    f.end();
    int[] prompt = prompt(renderer, chat);
    params = SamplingFields.limited(params, limit == null ? older : limit, limit == null ? "max_tokens" : "max_completion_tokens",
        prompt.length, model.model().contextLength());
    return new ChatRequest(model, renderer, prompt, !chat.tools().isEmpty(), params.stoppingAtEndOf(renderer), top, stream, usage);
  }

  private static int withoutLogprobs(Fields f) {
    f.refuse("top_logprobs", v -> v.isNumber() && v.doubleValue() == 0, "it needs logprobs: true");
    return -1;
  }

  private static void refused(Fields f) {
    f.refuse("response_format", v -> v.path("type").asString("").equals("text"),
        "answers are not held to a form; leave it out, or give {\"type\": \"text\"}");
    f.refuse("parallel_tool_calls", v -> v.asBoolean(false), "how many tools are called at a time is the model's choice; leave it out");
    f.refuse("functions", JsonNode::isEmpty, "give tools");
    f.refuse("function_call", v -> false, "give tools and tool_choice");
    f.refuse("modalities", v -> v.isArray() && v.size() == 1 && v.get(0).asString("").equals("text"), "there is text alone");
    f.refuse("audio", v -> false, "there is text alone");
    f.refuse("prediction", v -> false, "leave it out");
    f.refuse("web_search_options", v -> false, "leave it out");
    f.refuse("verbosity", v -> v.asString("").equals("medium"), "leave it out");
    f.refuse("store", v -> !v.asBoolean(true), "no answer is kept; leave it out");
    f.without("metadata");
  }

  private static Renderer renderer(Fields f, Renderer renderer) {
    Renderer out = renderer;
    JsonNode effort = f.value("reasoning_effort");
    if (effort != null) {
      out = with(out, "reasoning_effort", "reasoning_effort", effort);
    }
    Fields variables = f.object("chat_template_kwargs");
    if (variables != null) {
      for (var variable : f.value("chat_template_kwargs").properties()) {
        out = with(out, "chat_template_kwargs", variable.getKey(), variable.getValue());
      }
    }
    return out;
  }

  private static Renderer with(Renderer renderer, String field, String name, JsonNode value) {
    try {
      return renderer.with(name, value.asJava());
    } catch (InvalidInputException e) {
      throw ApiError.unsupported(field, field + " is not supported by this model: " + e.getMessage());
    }
  }

  private static List<Message> messages(Fields f) {
    JsonNode messages = f.required("messages", "a list of messages");
    try {
      return ChatForms.messages(messages, "messages");
    } catch (InvalidInputException e) {
      throw ApiError.invalid("messages", e.getMessage());
    }
  }

  /** The tools that may be called: none where the request says so. */
  private static List<String> tools(Fields f) {
    JsonNode tools = f.value("tools");
    JsonNode choice = f.value("tool_choice");
    String chosen = choice == null ? "auto" : choice.asString("");
    if (!chosen.equals("auto") && !chosen.equals("none")) {
      throw ApiError.unsupported("tool_choice", "tool_choice " + Fields.excerpt(choice)
          + " is not supported by this server: no model is held to a call; give \"auto\" or \"none\"");
    }
    List<String> out = new ArrayList<>();
    for (JsonNode tool : tools == null ? List.<JsonNode>of() : tools) {
      if (!tool.path("type").asString("function").equals("function") || !tool.path("function").path("name").isString()) {
        throw ApiError.invalid("tools", "tools[" + out.size() + "] is " + Fields.excerpt(tool)
            + ": give {\"type\": \"function\", \"function\": {\"name\": ...}}");
      }
      out.add(tool.toString());
    }
    return chosen.equals("none") ? List.of() : out;
  }

  private static int[] prompt(Renderer renderer, Conversation chat) {
    try {
      return PromptTokens.of(renderer, chat).orElseThrow(() -> ApiError.unsupported("tools",
          "tools are not supported by this model: its chat template writes none; leave them out"));
    } catch (ApiError e) {
      throw e;
    } catch (FettleException e) {
      throw ApiError.invalid("messages", e.getMessage());
    }
  }
}
