/**
 * The remote backend: a service that speaks the Tinker protocol. The only importer of OkHttp. What a server can do is
 * learnt from its answers, never from its name.
 */
package dev.fettle.internal.remote;
