plugins {
    kotlin("jvm") version "2.4.21"
    application
}

repositories {
    mavenLocal() // until Fettle is on Maven Central
    mavenCentral()
}

dependencies {
    implementation("dev.fettle:fettle:0.1.0-SNAPSHOT")
    // Gradle does not pick libtorch for the machine, as Maven does; see the README for the others.
    runtimeOnly("ai.djl.pytorch:pytorch-native-cpu:2.7.1:linux-x86_64")
    runtimeOnly("org.slf4j:slf4j-nop:2.0.20") // or any other binding of SLF4J
}

kotlin {
    jvmToolchain(17)
}

application {
    mainClass = "TuneKt"
    applicationDefaultJvmArgs = listOf("--enable-native-access=ALL-UNNAMED")
}
