//! Shapes and their areas.

/// What has an area.
pub trait Shape {
    /// Returns the area in square metres.
    fn area(&self) -> f64;
}

shapes_macros::rectangle!(Square, side, side);

/// A circle.
#[cfg(feature = "round")]
#[derive(Clone, Copy, Debug)]
pub struct Circle {
    /// Half of the width.
    pub radius: f64,
}

#[cfg(feature = "round")]
impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.radius * self.radius
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_as_wide_as_it_is_high() {
        let area = Square { side: 3.0 }.area();
        assert!((area - 9.0).abs() < f64::EPSILON);
    }

    #[cfg(feature = "round")]
    #[test]
    fn a_circle_is_round() {
        assert!(Circle { radius: 1.0 }.area() > 3.1);
    }
}
