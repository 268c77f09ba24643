/** JSON: trees, and records as objects. The one place that knows which library parses and prints. */
package dev.fettle.internal.json;
