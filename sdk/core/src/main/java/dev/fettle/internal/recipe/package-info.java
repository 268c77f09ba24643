/** What the recipes share: the record of a run, its files and its report. */
package dev.fettle.internal.recipe;
