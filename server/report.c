/* server/report.c - what a command has to tell, as a tree of JSON values. */
#include "server/report.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>

#include "zones/base/mem.h"
#include "zones/base/time.h"

struct report {
	json_t *data; /* owned */
	json_t *list; /* borrowed from data; NULL: none is open */
	json_t *item; /* borrowed from list; NULL: none is open */
};

/* So that nothing below can fail for want of memory. */
static void set_up(void)
{
	json_set_alloc_funcs(mem_alloc, mem_free);
}

struct report *report_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct report *r = mem_zalloc(sizeof(*r));
	(void)pthread_once(&once, set_up);
	r->data = json_object();
	return r;
}

void report_free(struct report *r)
{
	if (r != NULL) {
		json_decref(r->data);
		mem_free(r);
	}
}

/* --- making ---------------------------------------------------------------------------------- */

/* Takes @value. */
static void add(struct report *r, const char *key, json_t *value)
{
	assert(r->list == NULL || r->item != NULL);
	int failed = json_object_set_new(r->item != NULL ? r->item : r->data, key, value);
	assert(failed == 0);
	(void)failed;
}

/* Each octet that is not of ASCII as \xHH: of what is no UTF-8 nobody knows what it is. */
static json_t *escaped(const char *value)
{
	struct buf b = { 0 };
	for (const char *c = value; *c != '\0'; c++) {
		if ((uint8_t)*c < 0x80) {
			buf_char(&b, *c);
		} else {
			buf_printf(&b, "\\x%02X", (uint8_t)*c);
		}
	}
	json_t *made = json_stringn(b.data, b.len);
	buf_clear(&b);
	return made;
}

void report_text(struct report *r, const char *key, const char *value)
{
	json_t *made = json_string(value);
	add(r, key, made != NULL ? made : escaped(value));
}

void report_number(struct report *r, const char *key, uint64_t value)
{
	add(r, key, json_integer((json_int_t)value));
}

void report_flag(struct report *r, const char *key, bool value)
{
	add(r, key, json_boolean(value));
}

void report_time(struct report *r, const char *key, int64_t value)
{
	char d[TIME_TEXT14_LEN + 1];
	struct buf b = { 0 };
	time_to_text14(value, d);
	buf_printf(&b, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 8, d + 10, d + 12);
	report_text(r, key, b.data);
	buf_clear(&b);
}

void report_list(struct report *r, const char *key)
{
	assert(r->list == NULL);
	json_t *list = json_array();
	add(r, key, list);
	r->list = list;
}

void report_item(struct report *r)
{
	assert(r->list != NULL);
	r->item = json_object();
	int failed = json_array_append_new(r->list, r->item);
	assert(failed == 0);
	(void)failed;
}

void report_lines(struct report *r, const char *key, const char *text)
{
	json_t *list = json_array();
	add(r, key, list);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		json_t *line = json_stringn(text, len);
		if (line == NULL) {
			char *copy = mem_str(text, len);
			line = escaped(copy);
			mem_free(copy);
		}
		int failed = json_array_append_new(list, line);
		assert(failed == 0);
		(void)failed;
		text += len;
		text += *text == '\n';
	}
}

void report_list_end(struct report *r)
{
	r->list = r->item = NULL;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static int into_buf(const char *octets, size_t len, void *out)
{
	buf_add(out, octets, len);
	return 0;
}

static void print_json(const struct report *r, const char *status, const char *message,
		       struct buf *out)
{
	struct report whole = { .data = json_object() };
	report_text(&whole, "status", status);
	report_text(&whole, "message", message);
	add(&whole, "data", json_incref(r->data));
	(void)json_dump_callback(whole.data, into_buf, out, JSON_COMPACT);
	json_decref(whole.data);
	buf_char(out, '\n');
}

/* --- text ------------------------------------------------------------------------------------ */

/* The octets of a text may be anything; a terminal gets none of those that it would obey. */
static void print_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		bool is_control = (uint8_t)*text < ' ' || *text == 0x7f;
		buf_char(out, is_control && *text != '\t' ? '?' : *text);
	}
}

/* NULL: nothing is known. */
static void print_value(struct buf *out, const json_t *v)
{
	if (v == NULL) {
		buf_char(out, '-');
	} else if (json_is_string(v)) {
		print_text(out, json_string_value(v));
	} else if (json_is_integer(v)) {
		buf_printf(out, "%llu", (unsigned long long)json_integer_value(v));
	} else {
		buf_str(out, json_is_true(v) ? "yes" : "no");
	}
}

/* Columns of characters; an octet that continues one takes no room. */
static size_t width_of(const char *text, size_t len)
{
	size_t width = 0;
	for (size_t i = 0; i < len; i++) {
		width += ((uint8_t)text[i] & 0xc0) != 0x80;
	}
	return width;
}

/* @head: the names of the columns, with the widest value of each. */
static void widen(json_t *head, json_t *item, struct buf *scratch)
{
	const char *key;
	json_t *v;
	json_object_foreach(item, key, v)
	{
		buf_reset(scratch);
		print_value(scratch, v);
		size_t width = width_of(scratch->data, scratch->len);
		const json_t *before = json_object_get(head, key);
		size_t most = before != NULL ? (size_t)json_integer_value(before) : strlen(key);
		(void)json_object_set_new(head, key,
					  json_integer((json_int_t)(width > most ? width : most)));
	}
}

/* A cell and what separates it from the next; there is nothing behind the last. */
static void print_cell(struct buf *out, const char *text, size_t len, size_t room)
{
	buf_add(out, text, len);
	for (size_t i = width_of(text, len); i < room; i++) {
		buf_char(out, ' ');
	}
}

static void end_row(struct buf *out)
{
	while (out->len != 0 && out->data[out->len - 1] == ' ') {
		out->len--;
	}
	buf_char(out, '\n');
}

static void print_list(struct buf *out, const json_t *list)
{
	json_t *head = json_object();
	struct buf scratch = { 0 };
	const char *key;
	json_t *v;
	for (size_t i = 0; i < json_array_size(list); i++) {
		widen(head, json_array_get(list, i), &scratch);
	}
	json_object_foreach(head, key, v)
	{
		print_cell(out, key, strlen(key), (size_t)json_integer_value(v) + 2);
	}
	if (json_array_size(list) != 0) {
		end_row(out);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		json_object_foreach(head, key, v)
		{
			buf_reset(&scratch);
			print_value(&scratch, json_object_get(item, key));
			print_cell(out, scratch.data, scratch.len,
				   (size_t)json_integer_value(v) + 2);
		}
		end_row(out);
	}
	json_decref(head);
	buf_clear(&scratch);
}

static void print_lines(struct buf *out, const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		print_text(out, json_string_value(json_array_get(lines, i)));
		buf_char(out, '\n');
	}
}

static void print_plain(const struct report *r, const char *message, struct buf *out)
{
	const char *key;
	json_t *v;
	if (*message != '\0') {
		print_text(out, message);
		buf_char(out, '\n');
	}
	json_object_foreach(r->data, key, v)
	{
		if (!json_is_array(v)) {
			buf_printf(out, "%s: ", key);
			print_value(out, v);
			buf_char(out, '\n');
		}
	}
	json_object_foreach(r->data, key, v)
	{
		if (json_is_string(json_array_get(v, 0))) {
			print_lines(out, v);
		} else if (json_is_array(v)) {
			print_list(out, v);
		}
	}
}

void report_print(const struct report *r, enum report_form form, const char *status,
		  const char *message, struct buf *out)
{
	if (form == REPORT_JSON) {
		print_json(r, status, message, out);
	} else {
		print_plain(r, message, out);
	}
}
