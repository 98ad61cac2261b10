/* Black-76 price, delta, gamma and vega from the formulas as printed, for gcc to vectorise.
   With -O3 -march=native -ffast-math it calls glibc's vector exp, log and erfc (libmvec). */
#include <math.h>

void evaluate(long n, const double *restrict forward, const double *restrict strike,
              const double *restrict time, const double *restrict volatility,
              const double *restrict rate, const unsigned char *restrict is_call,
              double *restrict price, double *restrict delta, double *restrict gamma,
              double *restrict vega)
{
    for (long i = 0; i < n; i++) {
        double root = sqrt(time[i]), s = volatility[i] * root;
        double d1 = log(forward[i] / strike[i]) / s + 0.5 * s, d2 = d1 - s;
        double side = is_call[i] ? 1.0 : -1.0, discount = exp(-rate[i] * time[i]);
        double n1 = 0.5 * erfc(-side * d1 * 0.70710678118654752440);
        double n2 = 0.5 * erfc(-side * d2 * 0.70710678118654752440);
        double density = discount * 0.39894228040143267794 * exp(-0.5 * d1 * d1);
        price[i] = discount * side * (forward[i] * n1 - strike[i] * n2);
        delta[i] = discount * side * n1;
        gamma[i] = density / (forward[i] * s);
        vega[i] = density * forward[i] * root;
    }
}
