/**
 * The seam between the public API and its two implementations, on this machine and on a service, and what all parts share:
 * errors about files, checks of arguments, progress, what the system says. It names no other internal package.
 */
package dev.fettle.internal;
