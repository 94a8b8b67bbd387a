// Swift's runtime was linked with glibc 2.35 and wants its hypotf; systems with 2.34 have it only by an older version. This
// one is found first. In double nothing overflows, and the sum is exact enough for the nearest float.
#include <math.h>

__attribute__((visibility("hidden"))) float hypotf(float x, float y) {
    // C, F.10.4.3: an infinity wins over a NaN.
    if (isinf(x) || isinf(y)) return INFINITY;
    return (float)sqrt((double)x * x + (double)y * y);
}
