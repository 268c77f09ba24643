import dev.fettle.*
import java.nio.file.Path

fun tune(model: String, data: Path, adapter: Path): String =
    Fettle.local().use { fettle ->
        val training = fettle.load(model).tune(Lora.rank(32))
        for (batch in Dataset.jsonl(data).shuffle(7).epochs(2).batches(16, training.renderer())) {
            training.forwardBackward(batch, Loss.crossEntropy())
            training.optimStep(AdamW.learningRate(5e-4))
        }
        training.saveAdapter(adapter)
        training.sampler().chat("Where is my parcel?")
    }

fun main() {
    println(tune("Qwen/Qwen3-0.6B", Path.of("train.jsonl"), Path.of("my-adapter")))
}
