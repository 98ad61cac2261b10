/* The scenario scan with AVX-512 intrinsics: five vectors of sums an account, the last lane
   apart. The bound that the compiled kernel of risk/lanes.py is held against. */
#include <immintrin.h>

void scan(long accounts, const long *restrict start, const int *restrict instrument,
          const long *restrict size, const long *restrict table, long *restrict worst,
          long *restrict value)
{
    for (long a = 0; a < accounts; a++) {
        __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0, s4 = s0;
        for (long leg = start[a]; leg < start[a + 1]; leg++) {
            const long *row = table + 40L * instrument[leg];
            const __m512i n = _mm512_set1_epi64(size[leg]);
            s0 = _mm512_add_epi64(s0, _mm512_mullo_epi64(n, _mm512_loadu_si512(row)));
            s1 = _mm512_add_epi64(s1, _mm512_mullo_epi64(n, _mm512_loadu_si512(row + 8)));
            s2 = _mm512_add_epi64(s2, _mm512_mullo_epi64(n, _mm512_loadu_si512(row + 16)));
            s3 = _mm512_add_epi64(s3, _mm512_mullo_epi64(n, _mm512_loadu_si512(row + 24)));
            s4 = _mm512_add_epi64(s4, _mm512_mullo_epi64(n, _mm512_loadu_si512(row + 32)));
        }
        value[a] = _mm512_extracti64x2_epi64(s4, 3)[1];
        s4 = _mm512_maskz_mov_epi64(0x7f, s4);
        s0 = _mm512_min_epi64(_mm512_min_epi64(s0, s1), _mm512_min_epi64(s2, s3));
        worst[a] = _mm512_reduce_min_epi64(_mm512_min_epi64(s0, s4));
    }
}
