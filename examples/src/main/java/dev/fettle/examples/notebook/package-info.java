/** Runs the notebooks of {@code examples/notebooks} without Jupyter, in the JDK's own JShell. */
package dev.fettle.examples.notebook;
