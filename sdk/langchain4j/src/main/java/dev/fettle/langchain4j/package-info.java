/**
 * Models that run in this process as LangChain4j's: {@link dev.fettle.langchain4j.FettleChatModel},
 * {@link dev.fettle.langchain4j.FettleStreamingChatModel}, {@link dev.fettle.langchain4j.FettleEmbeddingModel} and
 * {@link dev.fettle.langchain4j.FettleScoringModel}. No HTTP lies between: a call samples, embeds or scores and returns.
 *
 * <p>They hold what they are built over and close nothing: a {@link dev.fettle.Sampler}, a {@link dev.fettle.BaseModel} or
 * a {@link dev.fettle.Training} is closed as ever, with its {@link dev.fettle.Fettle} at the latest. Thread-safe.
 *
 * <p>What a request asks for and Fettle cannot do is an
 * {@link dev.langchain4j.exception.UnsupportedFeatureException} that names it; what Fettle rejects as wrong input is an
 * {@link dev.langchain4j.exception.InvalidRequestException} with the {@link dev.fettle.InvalidInputException} as its cause.
 * Other {@link dev.fettle.FettleException}s come as they are.
 */
@NullMarked
package dev.fettle.langchain4j;

import org.jspecify.annotations.NullMarked;
