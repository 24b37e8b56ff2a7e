/* signer/sha1.c - SHA-1 by the processor's instructions where it has them.
 *
 * Twenty groups of four rounds; group g works on four words of the schedule, W[g], and the fifth state
 * word of a group comes from the state before the one before it. */
#include "signer/sha1.h"

#include <stdbool.h>
#include <string.h>

#include "zones/base/wire.h"

static const uint32_t start[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

/* --- portable -------------------------------------------------------------------------------- */

static inline uint32_t rotate(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static void block_portable(uint32_t state[5], const uint8_t *block)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80];
	for (unsigned i = 0; i < 16; i++) {
		w[i] = be32_get(block + (size_t)4 * i);
	}
	for (unsigned i = 16; i < 80; i++) {
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	}
	uint32_t a = state[0];
	uint32_t b = state[1];
	uint32_t c = state[2];
	uint32_t d = state[3];
	uint32_t e = state[4];
	for (unsigned i = 0; i < 80; i++) {
		uint32_t f = i < 20	    ? (b & c) | (~b & d)
			     : i / 20 == 2U ? (b & c) | (b & d) | (c & d)
					    : b ^ c ^ d;
		uint32_t next = rotate(a, 5) + f + e + k[i / 20] + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

/* --- x86 ------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
# include <cpuid.h>
# include <immintrin.h>

/* Asking the processor takes a microsecond and more on a virtual one, so it is asked once. */
static bool has_instructions(void)
{
	enum { UNKNOWN, NO, YES };
	static int known; /* atomic; all threads come to the same answer */
	int k = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (k == UNKNOWN) {
		unsigned a = 0;
		unsigned b = 0;
		unsigned c = 0;
		unsigned d = 0;
		bool has = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
		k = has ? YES : NO;
		__atomic_store_n(&known, k, __ATOMIC_RELAXED);
	}
	return k == YES;
}

# define SHA_CODE __attribute__((target("sha,ssse3,sse4.1")))

/* W[g] of the four before it, oldest first. */
SHA_CODE static inline __m128i schedule(__m128i w4, __m128i w3, __m128i w2, __m128i w1)
{
	return _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w4, w3), w2), w1);
}

SHA_CODE static void block_x86(uint32_t state[5], const uint8_t *block)
{
	const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
	__m128i abcd =
		_mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0x1b);
	__m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);
	const __m128i abcd_before = abcd;
	const __m128i e_before = e;
	__m128i was; /* the state before the last group */
	__m128i w[4];
	for (unsigned i = 0; i < 4; i++) {
		const void *at = block + (size_t)16 * i;
		w[i] = _mm_shuffle_epi8(_mm_loadu_si128(at), order);
	}
	/* clang-format off */
#	define GROUP(g, f)                                                                        \
		e = (g) == 0 ? _mm_add_epi32(e, w[0]) : _mm_sha1nexte_epu32(was, w[(g) % 4]);      \
		was = abcd;                                                                        \
		abcd = _mm_sha1rnds4_epu32(abcd, e, f);                                            \
		w[(g) % 4] = schedule(w[(g) % 4], w[((g) + 1) % 4], w[((g) + 2) % 4], w[((g) + 3) % 4])
	GROUP(0, 0); GROUP(1, 0); GROUP(2, 0); GROUP(3, 0); GROUP(4, 0);
	GROUP(5, 1); GROUP(6, 1); GROUP(7, 1); GROUP(8, 1); GROUP(9, 1);
	GROUP(10, 2); GROUP(11, 2); GROUP(12, 2); GROUP(13, 2); GROUP(14, 2);
	GROUP(15, 3); GROUP(16, 3); GROUP(17, 3); GROUP(18, 3); GROUP(19, 3);
#	undef GROUP
	/* clang-format on */
	e = _mm_sha1nexte_epu32(was, e_before);
	abcd = _mm_add_epi32(abcd, abcd_before);
	_mm_storeu_si128((__m128i *)(void *)state, _mm_shuffle_epi32(abcd, 0x1b));
	state[4] = (uint32_t)_mm_extract_epi32(e, 3);
}
#else
static bool has_instructions(void)
{
	return false;
}

static void block_x86(uint32_t state[5], const uint8_t *block)
{
	block_portable(state, block);
}
#endif

/* --- messages -------------------------------------------------------------------------------- */

typedef void block_function(uint32_t state[5], const uint8_t *block);

static void hash(uint8_t *data, size_t len, uint8_t out[SHA1_LEN], block_function *block)
{
	uint32_t state[5];
	size_t padded = SHA1_PADDED(len);
	memcpy(state, start, sizeof(state));
	data[len] = 0x80;
	memset(data + len + 1, 0, padded - len - 1);
	be32_put(data + padded - 4, (uint32_t)(len * 8));
	for (size_t at = 0; at < padded; at += SHA1_BLOCK) {
		block(state, data + at);
	}
	for (unsigned i = 0; i < 5; i++) {
		be32_put(out + (size_t)4 * i, state[i]);
	}
}

void sha1_in_place(uint8_t *data, size_t len, uint8_t out[SHA1_LEN])
{
	hash(data, len, out, has_instructions() ? block_x86 : block_portable);
}

void sha1_in_place_portable(uint8_t *data, size_t len, uint8_t out[SHA1_LEN])
{
	hash(data, len, out, block_portable);
}
