/**
 * Models and datasets of the Hugging Face hub, in the hub's own cache, which Python tools share. {@link dev.fettle.internal.hub.Hub}
 * finds a repository's files there and downloads what is missing; nothing else here is called from outside but
 * {@link dev.fettle.internal.hub.Proxies}.
 */
package dev.fettle.internal.hub;
