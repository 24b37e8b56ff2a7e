/* server/command_table.c - the commands of commands.def. */
#include "server/command_table.h"

#include <string.h>

#include "zones/base/text.h"

const struct command command_table[] = {
#define COMMAND(name, arguments, min, max, changes, help)                                          \
 { #name, arguments, min, max, changes, help },
#include "server/commands.def"
#undef COMMAND
	{ NULL, NULL, 0, 0, false, NULL },
};

static const char *const names[] = {
#define COMMAND(name, arguments, min, max, changes, help) #name,
#include "server/commands.def"
#undef COMMAND
	NULL,
};

const struct command *command_by_name(const char *name, struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	const struct command *c = command_table;
	while (c->name != NULL && strcmp(c->name, name) != 0) {
		c++;
	}
	if (c->name != NULL) {
		return c;
	}
	const char *near = text_did_you_mean(name, names);
	(void)err_set(em, E_NOENT, "there is no command %s%s%s%s",
		      text_quote(name, strlen(name), quoted), near != NULL ? "; did you mean " : "",
		      near != NULL ? near : "", near != NULL ? "?" : "");
	return NULL;
}

const struct command *command_find(const char *const *words, size_t count, struct errmsg *em)
{
	const struct command *c = command_by_name(words[0], em);
	if (c != NULL && (count - 1 < c->min || count - 1 > c->max)) {
		(void)err_set(em, E_INVAL, "found %zu argument%s, expected: %s%s%s", count - 1,
			      text_plural(count - 1), c->name, *c->arguments != '\0' ? " " : "",
			      c->arguments);
		return NULL;
	}
	return c;
}
