/** Pictures, drawn by the JDK alone: axes, lines, points, bars, maps, text in colour. */
package dev.fettle.internal.chart;
