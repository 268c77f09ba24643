import dev.fettle.Fettle
import dev.fettle.FettleServer
import dev.fettle.SamplingParams
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import kotlin.io.path.writeText
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class TuneTest {
    @Test
    fun whatItTunesIsServed(@TempDir directory: Path) {
        val data = directory.resolve("train.jsonl")
        data.writeText("""{"prompt": "Where is my parcel?", "completion": " On its way."}""" + "\n")

        val answer: String = tune("fettle-tiny", data, directory.resolve("adapter"))

        assertTrue(answer.isNotEmpty())
        Fettle.local().use { fettle ->
            val sample = fettle.load("fettle-tiny").sampler().sample("Where", SamplingParams.greedy().maxTokens(4))[0]
            assertEquals(4, sample.tokens.size)
            val setup = FettleServer.serve(fettle, "fettle-tiny").adapter("parcels", directory.resolve("adapter"))
            // What may be null in the API is so in Kotlin: the token is, and nothing else here.
            setup.token { null }.start().use { server ->
                val request = HttpRequest.newBuilder(URI.create("${server.uri()}/v1/chat/completions"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(
                        """{"model": "parcels", "temperature": 0, "messages": [{"role": "user", "content": "Where is my parcel?"}]}"""))
                    .build()
                val response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString())
                assertEquals(200, response.statusCode(), response.body())
                assertTrue(response.body().contains(answer.take(5)), response.body())
            }
        }
    }
}
