/* test/unit/zones/base/wire_test.c - the bounded reader and writer. */
#include "zones/base/wire.h"

#include "test/unit/unit.h"

START_TEST(numbers_are_in_network_order)
{
	uint8_t out[7];
	struct writer w = writer_of(out, sizeof(out));
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x8405f6ff);
	ck_assert_int_eq(w.err, E_OK);
	ck_assert_uint_eq(writer_len(&w), 7);
	ck_assert_uint_eq(writer_left(&w), 0);
	ck_assert_int_eq(memcmp(out, "\x01\x02\x03\x84\x05\xf6\xff", 7), 0);
	struct reader r = reader_of(out, sizeof(out));
	ck_assert_uint_eq(reader_u8(&r), 0x01);
	ck_assert_uint_eq(reader_u16(&r), 0x0203);
	ck_assert_uint_eq(reader_u32(&r), 0x8405f6ff);
	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert_int_eq(r.err, E_OK);
}
END_TEST

START_TEST(nothing_can_be_read_and_written)
{
	struct reader r = reader_of(NULL, 0);
	struct writer w = writer_of(NULL, 0);
	ck_assert_uint_eq(reader_left(&r), 0);
	writer_bytes(&w, NULL, 0);
	ck_assert_int_eq(w.err, E_OK);
	ck_assert_uint_eq(reader_u8(&r), 0);
	ck_assert_int_eq(r.err, E_TRUNC);
	writer_u8(&w, 1);
	ck_assert_int_eq(w.err, E_NOSPACE);
}
END_TEST

START_TEST(errors_stick)
{
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct reader r = reader_of(data, 3);
	ck_assert_uint_eq(reader_u32(&r), 0);
	ck_assert_int_eq(r.err, E_TRUNC);
	ck_assert_uint_eq(reader_u8(&r), 0); /* there would be octets */
	ck_assert_ptr_null(reader_bytes(&r, 0));
	ck_assert_uint_eq(reader_left(&r), 0);
	reader_fail(&r, E_NAME);
	ck_assert_int_eq(r.err, E_TRUNC);

	struct writer w = writer_of(data, 3);
	writer_u32(&w, 0);
	writer_u8(&w, 9);
	writer_fail(&w, E_LIMIT);
	ck_assert_int_eq(w.err, E_NOSPACE);
	ck_assert_uint_eq(writer_len(&w), 0);
	ck_assert_uint_eq(writer_left(&w), 0);
	ck_assert_uint_eq(data[0], 1);
}
END_TEST

START_TEST(sizes_near_the_limit_do_not_wrap)
{
	uint8_t data[8] = { 0 };
	for (size_t at = 0; at <= sizeof(data); at++) {
		struct reader r = reader_of(data, sizeof(data));
		struct writer w = writer_of(data, sizeof(data));
		ck_assert_ptr_nonnull(reader_bytes(&r, at));
		ck_assert_ptr_nonnull(writer_room(&w, at));
		for (size_t more = 0; more < 4; more++) {
			struct reader r2 = r;
			struct writer w2 = w;
			ck_assert_ptr_null(reader_bytes(&r2, SIZE_MAX - more));
			ck_assert_ptr_null(writer_room(&w2, SIZE_MAX - more));
			r2 = r;
			ck_assert_ptr_null(reader_bytes(&r2, sizeof(data) - at + 1));
		}
	}
}
END_TEST

/* Random writes come back, and nothing is touched beyond the end. */
START_TEST(what_is_written_is_read)
{
	struct unit_random random = { 1 };
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t out[64];
		struct {
			unsigned kind;
			uint32_t value;
		} done[64];
		size_t count = 0;
		size_t room = unit_random_below(&random, 60);
		memset(out, 0xee, sizeof(out));
		struct writer w = writer_of(out, room);
		while (w.err == E_OK) {
			done[count].kind = unit_random_below(&random, 4);
			done[count].value = unit_random_next(&random);
			switch (done[count].kind) {
			case 0:
				writer_u8(&w, (uint8_t)done[count].value);
				break;
			case 1:
				writer_u16(&w, (uint16_t)done[count].value);
				break;
			case 2:
				writer_u32(&w, done[count].value);
				break;
			default:
				writer_bytes(&w, "abcde", 5);
				break;
			}
			count += w.err == E_OK;
		}
		ck_assert(unit_all_equal(out + room, sizeof(out) - room, 0xee));
		struct reader r = reader_of(out, writer_len(&w));
		for (size_t i = 0; i < count; i++) {
			uint32_t v = done[i].value;
			const uint8_t *p;
			switch (done[i].kind) {
			case 0:
				ck_assert_uint_eq(reader_u8(&r), v & 0xff);
				break;
			case 1:
				ck_assert_uint_eq(reader_u16(&r), v & 0xffff);
				break;
			case 2:
				ck_assert_uint_eq(reader_u32(&r), v);
				break;
			default:
				p = reader_bytes(&r, 5);
				ck_assert_ptr_nonnull(p);
				ck_assert_int_eq(memcmp(p, "abcde", 5), 0);
				break;
			}
		}
		ck_assert_int_eq(r.err, E_OK);
		ck_assert_uint_eq(reader_left(&r), 0);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("wire");
	tcase_add_test(tc, numbers_are_in_network_order);
	tcase_add_test(tc, nothing_can_be_read_and_written);
	tcase_add_test(tc, errors_stick);
	tcase_add_test(tc, sizes_near_the_limit_do_not_wrap);
	tcase_add_test(tc, what_is_written_is_read);
	return unit_run("zones/base/wire", tc);
}
