/* zones/base/banned.h - libc calls that do not compile here, because each has a safe twin.
 *
 * Force-included by the Makefile into every source file, so that no review has to look for them:
 * unbounded copies, calls with hidden state, and time calls that use the machine's local zone. */
#ifndef ZONES_BASE_BANNED_H
#define ZONES_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(call) sorry_##call##_is_banned_see_zones_base_banned_h

#undef strcpy
#define strcpy(x, y) BANNED(strcpy)
#undef strcat
#define strcat(x, y) BANNED(strcat)
#undef strncpy
#define strncpy(x, y, n) BANNED(strncpy)
#undef strncat
#define strncat(x, y, n) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(x, y) BANNED(strtok)
#undef gmtime
#define gmtime(t) BANNED(gmtime)
#undef localtime
#define localtime(t) BANNED(localtime)
#undef ctime
#define ctime(t) BANNED(ctime)
#undef asctime
#define asctime(t) BANNED(asctime)
#undef rand
#define rand() BANNED(rand)
#undef srand
#define srand(s) BANNED(srand)
#undef random
#define random() BANNED(random)
#undef atoi
#define atoi(s) BANNED(atoi)
#undef alloca
#define alloca(n) BANNED(alloca)

#endif
