/** The seam between the public API and its two implementations, on this machine and on a service. */
package dev.fettle.internal;
