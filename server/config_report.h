/* server/config_report.h - what is wrong with a configuration, collected and then put in order.
 *
 * A configuration is read in several passes; people read it from top to bottom. So the report keeps
 * the places, and hands over the findings sorted by them, each as "file:line:column: text".
 *
 * Threads: one reader, one thread.
 * Memory:  fixed: CONFIG_ERRORS_MAX errors and as many warnings are kept, the rest is counted. */
#ifndef SERVER_CONFIG_REPORT_H
#define SERVER_CONFIG_REPORT_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/findings.h"

#define CONFIG_ERRORS_MAX 20

/* Where something stands in the file, counted from 1, columns in characters. Line 0: nowhere, the whole
 * file is meant. */
struct config_place {
	uint32_t line;
	uint32_t column;
	const char *path; /* of another file than the configuration itself; NULL: that one */
};

struct config_report {
	struct config_problem {
		struct config_place place;
		bool is_error;
		char text[480];
	} items[2 * CONFIG_ERRORS_MAX];
	size_t count;
	size_t errors, warnings; /* all, kept or not */
};

PRINTF(3, 4)
void config_report_error(struct config_report *r, struct config_place place, const char *fmt, ...);
PRINTF(3, 4)
void config_report_warning(struct config_report *r, struct config_place place, const char *fmt,
			   ...);
/* From the problem @first on, all are about the file @path, which is borrowed until config_report_close. */
void config_report_in_file(struct config_report *r, size_t first, const char *path);
/* Sorts, and adds everything to @findings with @path, or that of the other file, in front. */
void config_report_close(struct config_report *r, const char *path, struct findings *findings);

#endif
