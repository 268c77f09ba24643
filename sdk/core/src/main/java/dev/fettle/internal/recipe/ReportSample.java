package dev.fettle.internal.recipe;

/** What a model said to a prompt, for the report. */
public record ReportSample(String prompt, String expected, String before, String after) {}
