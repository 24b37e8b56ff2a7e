/* zones/dns/algorithm_names.h - the mnemonics of DNSSEC algorithms (RFC 4034 App. A.1 and the registry).
 *
 * The text of records and the key tools name algorithms by this one list; what an algorithm can do is
 * in keys/algorithm.c.
 *
 * Threads: constants. */
#ifndef ZONES_DNS_ALGORITHM_NAMES_H
#define ZONES_DNS_ALGORITHM_NAMES_H

#define ALGORITHM_NAME_1   "RSAMD5"
#define ALGORITHM_NAME_2   "DH"
#define ALGORITHM_NAME_3   "DSA"
#define ALGORITHM_NAME_5   "RSASHA1"
#define ALGORITHM_NAME_6   "DSA-NSEC3-SHA1"
#define ALGORITHM_NAME_7   "NSEC3RSASHA1"
#define ALGORITHM_NAME_8   "RSASHA256"
#define ALGORITHM_NAME_10  "RSASHA512"
#define ALGORITHM_NAME_12  "ECC-GOST"
#define ALGORITHM_NAME_13  "ECDSAP256SHA256"
#define ALGORITHM_NAME_14  "ECDSAP384SHA384"
#define ALGORITHM_NAME_15  "ED25519"
#define ALGORITHM_NAME_16  "ED448"
#define ALGORITHM_NAME_252 "INDIRECT"
#define ALGORITHM_NAME_253 "PRIVATEDNS"
#define ALGORITHM_NAME_254 "PRIVATEOID"

/* X(number) for each of them: the name is ALGORITHM_NAME_##number. */
/* clang-format off */
#define ALGORITHM_NAMES(X) \
	X(1) X(2) X(3) X(5) X(6) X(7) X(8) X(10) X(12) X(13) X(14) X(15) X(16) X(252) X(253) X(254)
/* clang-format on */

#endif
