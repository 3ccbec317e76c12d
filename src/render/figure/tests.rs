//! Figures of every kind, drawn whole.

use super::*;
use crate::figure::{Axis, Mark, Scale, Series};

fn axis(label: &str, unit: &str, scale: Scale) -> Axis {
    Axis {
        label: label.to_owned(),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        scale,
        range: None,
        names: Vec::new(),
    }
}

fn series(
    label: &str,
    colour: usize,
    mark: Mark,
    points: impl Iterator<Item = (f64, f64)>,
) -> Series {
    let (x, y) = points.unzip();
    Series {
        label: label.to_owned(),
        x,
        y,
        mark,
        colour,
    }
}

fn figure(title: &str, x: Axis, y: Axis, series: Vec<Series>) -> Figure {
    Figure {
        title: title.to_owned(),
        x,
        y,
        series,
        ..Figure::default()
    }
}

/// `n + 1` values from `low` to `high`.
fn grid(n: usize, low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..=n).map(move |i| low + (high - low) * i as f64 / n as f64)
}

/// Hare and lynx pelts of the Hudson's Bay Company, thousands, 1900 to 1920 (Hewitt 1921).
const HARE: [f64; 21] = [
    30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1, 40.3, 57.0, 76.6, 52.3, 19.5,
    11.2, 7.6, 14.6, 16.2, 24.7,
];
const LYNX: [f64; 21] = [
    4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4, 8.0, 12.3, 19.5, 45.7, 51.1, 29.7,
    15.8, 9.7, 10.1, 8.6,
];

fn yearly(values: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    values
        .iter()
        .enumerate()
        .map(|(year, value)| (1900.0 + year as f64, *value))
}

fn lotka_volterra() -> Vec<(f64, f64, f64)> {
    let (mut h, mut l) = (34.9_f64, 3.86_f64);
    let rate = |h: f64, l: f64| (0.481 * h - 0.0248 * h * l, -0.927 * l + 0.0276 * h * l);
    let step = 20.0 / 500.0;
    let mut out = Vec::new();
    for i in 0..=500 {
        out.push((1900.0 + f64::from(i) * step, h, l));
        for _ in 0..10 {
            let d = step / 10.0;
            let (a, b) = rate(h, l);
            let (c, e) = rate(h + a * d / 2.0, l + b * d / 2.0);
            h += c * d;
            l += e * d;
        }
    }
    out
}

fn fit() -> Figure {
    let path = lotka_volterra();
    figure(
        "Snowshoe hare and lynx, Hudson Bay",
        axis("time", "year", Scale::Linear),
        axis("pelts", "thousand", Scale::Linear),
        vec![
            series("hare", 0, Mark::Line, path.iter().map(|p| (p.0, p.1))),
            series("lynx", 1, Mark::Line, path.iter().map(|p| (p.0, p.2))),
            series("hare, data", 0, Mark::Points, yearly(&HARE)),
            series("lynx, data", 1, Mark::Points, yearly(&LYNX)),
        ],
    )
}

fn decays(n: usize) -> Vec<Series> {
    (0..n)
        .map(|i| {
            let k = 0.3 + 0.25 * i as f64;
            let curve = grid(300, 0.0, 10.0).map(move |t| (t, (-k * t).exp() * (1.0 + i as f64)));
            series(&format!("k{} = {k:.2}", i + 1), i, Mark::Line, curve)
        })
        .collect()
}

fn phase() -> Figure {
    let path = lotka_volterra();
    let circle =
        |r: f64| grid(200, 0.0, 6.3).map(move |a| (33.6 + r * a.cos(), 19.4 + 0.8 * r * a.sin()));
    figure(
        "",
        axis("hare", "thousand", Scale::Linear),
        axis("lynx", "thousand", Scale::Linear),
        vec![
            series("orbit", 0, Mark::Line, path.iter().map(|p| (p.1, p.2))),
            series("small orbit", 2, Mark::Line, circle(7.0)),
            series("equilibrium", 1, Mark::Points, [(33.6, 19.4)].into_iter()),
        ],
    )
}

fn log_y(low: f64, high: f64) -> Figure {
    let ratio = (high / low).ln();
    let curve = |power: f64| {
        grid(200, 0.0, 24.0).map(move |t| (t, high * (-ratio * (t / 24.0).powf(power)).exp()))
    };
    figure(
        "Elimination",
        axis("time", "h", Scale::Linear),
        axis("conc", "µg/L", Scale::Logarithmic),
        vec![
            series("plasma", 0, Mark::Line, curve(1.0)),
            series("tissue", 1, Mark::Line, curve(2.0)),
        ],
    )
}

fn gallery() -> Vec<(&'static str, Figure)> {
    let plain = |label: &str, unit: &str| axis(label, unit, Scale::Linear);
    let one = |label: &str, points: Vec<(f64, f64)>, mark| {
        vec![series(label, 0, mark, points.into_iter())]
    };
    let noisy = |n: usize| {
        let mut seed = 12345_u64;
        (0..n).map(move |i| {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let noise = (seed >> 33) as f64 / 2f64.powi(31) - 0.5;
            let t = i as f64 / n as f64 * 100.0;
            (t, (t * 0.2).sin() + noise * 0.4)
        })
    };
    let mut broken: Vec<(f64, f64)> = grid(100, 0.0, 10.0).map(|t| (t, t.sin())).collect();
    broken[30].1 = f64::NAN;
    broken[32].1 = f64::INFINITY;
    broken[60].1 = f64::NAN;
    let mut ranged = phase();
    ranged.x.range = Some((20.0, 50.0));
    ranged.y.range = Some((0.0, 30.0));
    let wide = |e: f64| {
        one(
            "drift",
            grid(50, 0.0, 1.0).map(|t| (t * e, t * t * e)).collect(),
            Mark::Line,
        )
    };
    vec![
        ("fit", fit()),
        ("phase", phase()),
        ("phase_range", ranged),
        ("log_y", log_y(1e-3, 500.0)),
        ("log_y_long", log_y(1e-12, 1e12)),
        ("log_y_short", log_y(2.0, 8.0)),
        ("log_y_one_decade", log_y(3e5, 7e6)),
        (
            "one",
            figure(
                "",
                plain("time", "day"),
                plain("biomass", "g/m^2"),
                decays(1),
            ),
        ),
        (
            "eight",
            figure(
                "Eight curves",
                plain("time", "s"),
                plain("y", ""),
                decays(8),
            ),
        ),
        (
            "thirty",
            figure(
                "Thirty curves",
                plain("time", "s"),
                plain("expression", "a.u."),
                decays(30),
            ),
        ),
        (
            "units",
            figure(
                "Temperature and light at 10⁻³ mol/m²",
                plain("ϑ", "°C"),
                plain("rate of uptake α", "µmol/m^2/s"),
                decays(3),
            ),
        ),
        (
            "constant",
            figure(
                "A flat curve",
                plain("time", ""),
                plain("x", ""),
                one("x", vec![(0.0, 3.0), (10.0, 3.0)], Mark::Line),
            ),
        ),
        (
            "point",
            figure(
                "",
                plain("time", ""),
                plain("x", ""),
                one("x", vec![(2.0, 3.0)], Mark::Points),
            ),
        ),
        (
            "empty",
            figure(
                "Nothing",
                plain("time", "h"),
                plain("x", ""),
                one("x", Vec::new(), Mark::Line),
            ),
        ),
        (
            "broken",
            figure(
                "Interrupted",
                plain("time", ""),
                plain("x", ""),
                one("sine", broken, Mark::Line),
            ),
        ),
        (
            "many_points",
            figure(
                "",
                plain("time", "h"),
                plain("x", ""),
                vec![
                    series("path", 0, Mark::Line, noisy(100_000)),
                    series("every 20th", 1, Mark::Points, noisy(5000)),
                ],
            ),
        ),
        (
            "tiny",
            figure("", plain("time", "s"), plain("y", "mol"), wide(1e-12)),
        ),
        (
            "huge",
            figure("", plain("time", "s"), plain("y", "mol"), wide(1e12)),
        ),
        (
            "long_names",
            figure(
                "A title that is much too long for the paper it is printed on, so that it has to be cut somewhere near its end",
                plain("time since the first observation of the animals", "year"),
                plain(
                    "a long name for what is measured along the vertical axis",
                    "individuals per square kilometre",
                ),
                vec![
                    series(
                        "density of the prey in the northern part of the region",
                        0,
                        Mark::Line,
                        grid(20, 0.0, 5.0).map(|t| (t, t.sin() * 1e-7 + 1e-7)),
                    ),
                    series(
                        "density of the predators in the same part",
                        1,
                        Mark::Line,
                        grid(20, 0.0, 5.0).map(|t| (t, t.cos() * 1e-7 + 1e-7)),
                    ),
                ],
            ),
        ),
    ]
}

/// Writes all figures into the folder named by `LOTKA_GALLERY`, or the system's temporary one,
/// for a look at them.
#[test]
#[ignore = "writes pictures to look at"]
fn write_gallery() {
    let folder = std::env::var_os("LOTKA_GALLERY").map_or_else(std::env::temp_dir, Into::into);
    std::fs::create_dir_all(&folder).expect("a folder to write to");
    for (name, figure) in gallery() {
        let svg = svg(&figure, Size::default()).expect(name);
        let png = png(&figure, Size::default()).expect(name);
        std::fs::write(folder.join(format!("{name}.svg")), svg).expect("a written file");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("a written file");
        println!("{name}\n{}", terminal(&figure, 60, 18, Colour::Never));
    }
}

/// Prints the processor time of an SVG and a PNG of two curves and 42 points.
#[test]
#[ignore = "measures time"]
fn time_of_a_figure() {
    let figure = fit();
    for _ in 0..5 {
        let start = cpu_time::ProcessTime::now();
        let svg = svg(&figure, Size::default()).expect("drawn");
        let middle = start.elapsed();
        let png = png(&figure, Size::default()).expect("drawn");
        let end = start.elapsed() - middle;
        let start = cpu_time::ProcessTime::now();
        let text = terminal(&figure, 80, 24, Colour::Always);
        println!(
            "svg {middle:?} ({} bytes), png {end:?} ({} bytes), terminal {:?} ({} bytes)",
            svg.len(),
            png.len(),
            start.elapsed(),
            text.len()
        );
    }
}

#[test]
fn the_gallery_is_drawn_in_every_size() {
    let sizes = [(160.0, 160.0), (300.0, 200.0), (1600.0, 900.0)];
    for (name, figure) in gallery() {
        for (width, height) in sizes {
            let size = Size { width, height };
            let svg = svg(&figure, size).expect(name);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
        }
        let png = png(
            &figure,
            Size {
                width: 200.0,
                height: 160.0,
            },
        )
        .expect(name);
        assert!(png.starts_with(b"\x89PNG"), "{name}");
        for (width, height) in [(0, 0), (40, 12), (60, 18), (200, 60)] {
            let text = terminal(&figure, width, height, Colour::Never);
            let widest = text.lines().map(crate::render::words::width).max();
            assert!(widest <= Some(width.max(30)), "{name} {width}:\n{text}");
            assert!(
                text.lines().count() <= height.max(8),
                "{name} {height}:\n{text}"
            );
        }
    }
}

#[test]
fn the_legend_stands_beside_the_data() {
    for (name, figure) in gallery() {
        let picture = layout::layout(&figure, Size::default()).expect(name);
        let mut right_of_curves = 0.0_f64;
        let mut words = Vec::new();
        for shape in &picture.shapes {
            match shape {
                shapes::Shape::Line { points, width, .. } if *width > 1.0 && points.len() > 2 => {
                    let ends = points.iter().map(|point| point.0);
                    right_of_curves = ends.fold(right_of_curves, f64::max);
                }
                shapes::Shape::Text {
                    text,
                    at,
                    size,
                    upward: false,
                    anchor,
                    ..
                } => {
                    words.push((text.width(*size), *at, *anchor));
                }
                _ => {}
            }
        }
        for (width, (x, y), anchor) in words {
            let (left, right) = match anchor {
                shapes::Anchor::Start => (x, x + width),
                shapes::Anchor::Middle => (x - width / 2.0, x + width / 2.0),
                shapes::Anchor::End => (x - width, x),
            };
            assert!(left >= 0.0 && right <= 720.0, "{name}: clipped words");
            assert!((8.0..=480.0).contains(&y), "{name}: clipped words");
            // Only legend words are anchored at their start.
            if anchor == shapes::Anchor::Start {
                assert!(x > right_of_curves || y > 440.0, "{name}: legend over data");
            }
        }
    }
}

#[test]
fn impossible_figures_are_told() {
    let mut figure = log_y(1.0, 10.0);
    for series in &mut figure.series {
        series.y.iter_mut().for_each(|y| *y = -*y);
    }
    let error = svg(&figure, Size::default()).expect_err("nothing positive");
    assert_eq!(error, FigureError::NothingPositive { axis: AxisName::Y });
    assert_eq!(
        Diagnostic::from(error).to_string(),
        "E0506: the y axis is logarithmic, but no value along it is positive (draw it with a \
         linear axis, or plot something positive)"
    );
    assert!(terminal(&figure, 60, 18, Colour::Never).starts_with("the y axis is logarithmic"));
    for size in [0.0, -1.0, f64::NAN, 1e9] {
        let size = Size {
            width: size,
            height: 480.0,
        };
        assert!(matches!(svg(&fit(), size), Err(FigureError::Size { .. })));
    }
}

#[test]
fn formats_are_known_by_their_extension() {
    assert_eq!(file_format(Path::new("a/b.svg")), Some(Format::Svg));
    assert_eq!(file_format(Path::new("b.PNG")), Some(Format::Png));
    assert_eq!(file_format(Path::new("b.csv")), None);
    assert_eq!(file_format(Path::new("svg")), None);
}

#[test]
fn one_hundred_thousand_points_make_a_small_file() {
    let curve = (0..100_000).map(|i| (f64::from(i), (f64::from(i) * 0.7).sin()));
    let figure = figure(
        "",
        Axis::default(),
        Axis::default(),
        vec![series("x", 0, Mark::Line, curve)],
    );
    let svg = svg(&figure, Size::default()).expect("drawn");
    assert!(svg.len() < 80_000, "{}", svg.len());
}

#[test]
fn a_terminal_of_sixty_columns() {
    insta::assert_snapshot!(terminal(&fit(), 60, 20, Colour::Never), @r#"
               Snowshoe hare and lynx, Hudson Bay
pelts [thousand]
80 ┤         o                          o
   │      o⠞⠳⡀                        ⢀⠞⠳⡄
   │     ⢠⠏  ⢣                       ⢠⠏  ⢳
60 ┤    ⢀⠏   ⠈⡆x                    ⢀⠏   ⠈⡆
   │    ⡞     ⢣⡰⠢⡀                  ⡜o    ⢣⡰⠲⡀
   │   o      ⢸⡁ ⢱⡀                ⡼      o⡁ x⡀
   │  ⡼       ⡇⢇  x               ⡼⠁      x⢇  ⢳
40 ┤ ⡜⠁      x o⡀ ⠈⢇             ⡼o      B ⠸⡀ ⠈⢧
   │ o       ⡇  ⣇  ⠈⣆          ⢀⡞        ⡇  ⢇  ⠈x
   │        ⡸   ⠘⡄  ⠘⣆       o⡠⠋o       ⢸   ⠘⡄  ⠘⣆        o
20 ┤       ⢠⠇    ⠹o  x⢦o  o⢀⡠⠚⠁        ⢠x    o⡄  ⠘⢦    ⢀⡠⠞A
   │      ⢠⠎      ⠘⠦A⣀⣀x⣤⠤⠒⠉         x⢀⠎      ⠘⠢o⣀x⣳⣤o⠒⠉o
   │   x⣀⡴x             ⠈⠙x⣄⣀x  x x ⣀⡴⠋           o  x⠢⢄x⡀x
 0 ┤ x⠉⠉                     ⠉⠉⠉⠉⠉⠉⠉                     ⠉B
   └─┬────────────┬─────────────┬────────────┬────────────┬─
   1900         1905          1910         1915         1920
                          time [year]
A hare   B lynx   o hare, data   x lynx, data
"#);
}

#[test]
fn a_terminal_of_forty_columns() {
    insta::assert_snapshot!(terminal(&log_y(1e-3, 500.0), 40, 14, Colour::Never), @r#"
                 Elimination
conc [µg/L]
     │⠶⢖⣦⠤⠤⠤⢤⣀⣀⡀
 100 ┤  ⠈⠙⠒⠦⣄⡀ ⠉⠉⠓⠒⠤⢄⣀
     │       ⠈⠙⠲⠤A⡀  ⠈⠉⠓⠦⣄⡀
   1 ┤            ⠉⠓⠢⢤⣀   ⠉⠓⠦B
     │                 ⠉⠓⠢⢤⣀  ⠙⠲⣄⡀
     │                     ⠈⠉⠒⠦⣄⡀⠙⠢⣄
0.01 ┤                          ⠈⠙⠲⠤⣝⣦B
     │                               A⠙⠳
     └┬─────────────┬─────────────┬─────
      0            10            20
                   time [h]
A plasma   B tissue
"#);
}

#[test]
fn terminal_colours_only_mark_what_is_drawn() {
    let plain = terminal(&fit(), 60, 20, Colour::Never);
    let coloured = terminal(&fit(), 60, 20, Colour::Always);
    assert!(!plain.contains('\u{1b}'));
    let mut bare = coloured.clone();
    for code in ["\u{1b}[38;5;33m", "\u{1b}[38;5;208m", "\u{1b}[0m"] {
        assert!(bare.contains(code));
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, plain);
}
