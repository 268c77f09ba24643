/** Chat templates: an interpreter of the part of Jinja that they use, in which every character knows its origin. */
package dev.fettle.internal.template;
