// SPDX-License-Identifier: MIT
#include "models/numerics/convolution.h"

#include <optional>
#include <utility>
#include <vector>

#include "sim/base/error.h"

namespace nibble {

namespace {

using Codes = std::vector<std::uint16_t>;
using Element = std::optional<std::uint64_t>;

std::uint16_t code(const CodeArray& array, const Element& element) {
    return element ? std::visit([&](const auto* codes) { return std::uint16_t{codes[*element]}; }, array.codes)
                   : std::uint16_t{0};
}

Element input_element(const ConvolutionShape& c, std::uint64_t n, std::uint64_t p, std::uint64_t q, std::uint64_t r,
                      std::uint64_t s, std::uint64_t channel) {
    const std::uint64_t h = p * c.stride_h + r * c.dilation_h;
    const std::uint64_t w = q * c.stride_w + s * c.dilation_w;
    if (h < c.pad_top || h - c.pad_top >= c.h || w < c.pad_left || w - c.pad_left >= c.w) {
        return {};
    }
    return ((n * c.c + channel) * c.h + h - c.pad_top) * c.w + w - c.pad_left;
}

Element gradient_element(const ConvolutionShape& c, std::uint64_t n, std::uint64_t h, std::uint64_t w, std::uint64_t r,
                         std::uint64_t s, std::uint64_t k) {
    const std::uint64_t ph = h + c.pad_top;
    const std::uint64_t pw = w + c.pad_left;
    if (ph < r * c.dilation_h || pw < s * c.dilation_w) {
        return {};
    }
    const std::uint64_t p = (ph - r * c.dilation_h) / c.stride_h;
    const std::uint64_t q = (pw - s * c.dilation_w) / c.stride_w;
    if (p >= c.p() || q >= c.q()) {
        return {};
    }
    return ((n * c.k + k) * c.p() + p) * c.q() + q;
}

void product(std::uint64_t m, std::uint64_t n, std::uint64_t k, OperandFormat a_format, const Codes& a,
             OperandFormat b_format, const Codes& b, const AccumulationRule& rule, unsigned threads, Codes::size_type,
             std::vector<float>& sums) {
    sums.assign(m * n, 0.0F);
    multiply(m, n, k, {a_format, a.data(), static_cast<std::ptrdiff_t>(k), 1},
             {b_format, b.data(), static_cast<std::ptrdiff_t>(n), 1}, rule, threads, sums);
}

}  // namespace

void convolution_forward(const ConvolutionShape& c, const CodeArray& x, const CodeArray& w,
                         const AccumulationRule& rule, unsigned threads, std::span<float> y) {
    const std::uint64_t channels = c.c / c.groups;
    const std::uint64_t outputs = c.k / c.groups;
    const std::uint64_t pixels = c.p() * c.q();
    const std::uint64_t terms = c.r * c.s * channels;
    std::vector<float> sums;
    for (std::uint64_t g = 0; g < c.groups; ++g) {
        Codes a;
        for (std::uint64_t k = 0; k < outputs; ++k) {
            for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
                for (std::uint64_t ch = 0; ch < channels; ++ch) {
                    a.push_back(code(w, ((g * outputs + k) * channels + ch) * c.r * c.s + tap));
                }
            }
        }
        for (std::uint64_t n = 0; n < c.n; ++n) {
            Codes b;
            for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
                for (std::uint64_t ch = 0; ch < channels; ++ch) {
                    for (std::uint64_t pixel = 0; pixel < pixels; ++pixel) {
                        b.push_back(code(x, input_element(c, n, pixel / c.q(), pixel % c.q(), tap / c.s, tap % c.s,
                                                          g * channels + ch)));
                    }
                }
            }
            product(outputs, pixels, terms, w.format, a, x.format, b, rule, threads, 0, sums);
            std::copy(sums.begin(), sums.end(),
                      y.begin() + static_cast<std::ptrdiff_t>((n * c.k + g * outputs) * pixels));
        }
    }
}

void convolution_dx(const ConvolutionShape& c, const CodeArray& dy, const CodeArray& w, const AccumulationRule& rule,
                    unsigned threads, std::span<float> dx) {
    const std::uint64_t channels = c.c / c.groups;
    const std::uint64_t outputs = c.k / c.groups;
    std::fill(dx.begin(), dx.end(), 0.0F);
    for (std::uint64_t i = 0; i < c.n * c.groups * c.stride_h * c.stride_w; ++i) {
        const std::uint64_t n = i / (c.groups * c.stride_h * c.stride_w);
        const std::uint64_t g = i / (c.stride_h * c.stride_w) % c.groups;
        const std::uint64_t first_h = i / c.stride_w % c.stride_h;
        const std::uint64_t first_w = i % c.stride_w;
        Codes a;
        Codes b;
        std::vector<std::uint64_t> taps;
        for (std::uint64_t r = 0; r < c.r; ++r) {
            for (std::uint64_t s = 0; s < c.s; ++s) {
                if ((first_h + c.pad_top + r * c.dilation_h * (c.stride_h - 1)) % c.stride_h == 0 &&
                    (first_w + c.pad_left + s * c.dilation_w * (c.stride_w - 1)) % c.stride_w == 0) {
                    taps.push_back(r * c.s + s);
                }
            }
        }
        std::vector<std::uint64_t> pixels;
        for (std::uint64_t h = first_h; h < c.h; h += c.stride_h) {
            for (std::uint64_t x = first_w; x < c.w; x += c.stride_w) {
                pixels.push_back(h * c.w + x);
            }
        }
        for (std::uint64_t ch = 0; ch < channels; ++ch) {
            for (const std::uint64_t tap : taps) {
                for (std::uint64_t k = 0; k < outputs; ++k) {
                    a.push_back(code(w, ((g * outputs + k) * channels + ch) * c.r * c.s + tap));
                }
            }
        }
        for (const std::uint64_t tap : taps) {
            for (std::uint64_t k = 0; k < outputs; ++k) {
                for (const std::uint64_t pixel : pixels) {
                    b.push_back(code(
                        dy, gradient_element(c, n, pixel / c.w, pixel % c.w, tap / c.s, tap % c.s, g * outputs + k)));
                }
            }
        }
        std::vector<float> sums;
        product(channels, pixels.size(), taps.size() * outputs, w.format, a, dy.format, b, rule, threads, 0, sums);
        for (std::uint64_t ch = 0; ch < channels; ++ch) {
            for (std::size_t j = 0; j < pixels.size(); ++j) {
                dx[(n * c.c + g * channels + ch) * c.h * c.w + pixels[j]] = sums[ch * pixels.size() + j];
            }
        }
    }
}

void convolution_dw(const ConvolutionShape& c, const CodeArray& x, const CodeArray& dy, const AccumulationRule& rule,
                    unsigned threads, std::span<float> dw) {
    const std::uint64_t channels = c.c / c.groups;
    const std::uint64_t outputs = c.k / c.groups;
    const std::uint64_t pixels = c.p() * c.q();
    std::vector<float> sums;
    for (std::uint64_t g = 0; g < c.groups; ++g) {
        Codes a;
        Codes b;
        for (std::uint64_t k = 0; k < outputs; ++k) {
            for (std::uint64_t i = 0; i < c.n * pixels; ++i) {
                a.push_back(code(dy, (i / pixels * c.k + g * outputs + k) * pixels + i % pixels));
            }
        }
        for (std::uint64_t i = 0; i < c.n * pixels; ++i) {
            for (std::uint64_t ch = 0; ch < channels; ++ch) {
                for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
                    b.push_back(code(x, input_element(c, i / pixels, i % pixels / c.q(), i % c.q(), tap / c.s,
                                                      tap % c.s, g * channels + ch)));
                }
            }
        }
        product(outputs, channels * c.r * c.s, c.n * pixels, dy.format, a, x.format, b, rule, threads, 0, sums);
        std::copy(sums.begin(), sums.end(),
                  dw.begin() + static_cast<std::ptrdiff_t>(g * outputs * channels * c.r * c.s));
    }
}

}  // namespace nibble
