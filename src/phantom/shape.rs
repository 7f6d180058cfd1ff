//! Signed distances to shapes (negative inside) and soft edges made of them.

/// 0 up to `low`, 1 from `high`, smooth between.
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// How much of a point a shape covers: 1 inside, 0 outside, half on the edge.
pub(super) fn cover(distance: f32, softness: f32) -> f32 {
    1.0 - smoothstep(-softness, softness, distance)
}

/// An ellipse with its own axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ellipse {
    centre: (f32, f32),
    radii: (f32, f32),
    cos: f32,
    sin: f32,
}

impl Ellipse {
    /// `angle` in radians turns the axes from x towards y.
    pub(super) fn new(centre: (f32, f32), radii: (f32, f32), angle: f32) -> Self {
        Self { centre, radii, cos: angle.cos(), sin: angle.sin() }
    }

    /// The same, seen in a mirror along the y axis at x = 0.
    pub(super) fn mirrored(self) -> Self {
        Self { centre: (-self.centre.0, self.centre.1), sin: -self.sin, ..self }
    }

    /// Signed distance, exact on the edge and first order near it.
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        let (x, y) = (x * self.cos + y * self.sin, y * self.cos - x * self.sin);
        let (a, b) = self.radii;
        let near = (x / a).hypot(y / b);
        let slope = (x / (a * a)).hypot(y / (b * b));
        if slope < 1e-6 { -a.min(b) } else { near * (near - 1.0) / slope }
    }
}

/// Smooth union of two signed distances: a fillet of about `radius`.
pub(super) fn join(a: f32, b: f32, radius: f32) -> f32 {
    let h = (radius - (a - b).abs()).max(0.0) / radius;
    a.min(b) - 0.25 * radius * h * h
}

/// Turns the picture's points into a body's own: shifted, rotated, scaled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pose {
    /// Where the body's origin lies in the picture.
    pub(super) centre: (f32, f32),
    /// Length of the body's units in sides of the picture, along its own axes.
    pub(super) scale: (f32, f32),
    /// Radians from x towards y.
    pub(super) angle: f32,
}

impl Pose {
    /// A point of the picture in the body's units.
    pub(super) fn to_body(self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        let (sin, cos) = self.angle.sin_cos();
        ((x * cos + y * sin) / self.scale.0, (y * cos - x * sin) / self.scale.1)
    }

    /// A point of the body in the picture.
    pub(super) fn to_picture(self, u: f32, v: f32) -> (f32, f32) {
        let (u, v) = (u * self.scale.0, v * self.scale.1);
        let (sin, cos) = self.angle.sin_cos();
        (self.centre.0 + u * cos - v * sin, self.centre.1 + u * sin + v * cos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_the_right_sign_and_size() {
        let ellipse = Ellipse::new((0.5, 0.5), (0.3, 0.1), std::f32::consts::FRAC_PI_2);
        assert!(ellipse.distance(0.5, 0.8).abs() < 1e-5 && ellipse.distance(0.6, 0.5).abs() < 1e-5);
        assert!(ellipse.distance(0.5, 0.5) < -0.05 && ellipse.distance(0.75, 0.5) > 0.1);
        assert!((cover(0.0, 0.1) - 0.5).abs() < 1e-6);
        assert!(join(0.1, 0.1, 0.2) < 0.1 && join(0.1, 0.9, 0.2) == 0.1);
    }

    #[test]
    fn a_pose_goes_there_and_back() {
        let pose = Pose { centre: (0.4, 0.6), scale: (0.5, 0.25), angle: 0.7 };
        let (x, y) = pose.to_picture(0.3, -0.2);
        let (u, v) = pose.to_body(x, y);
        assert!((u - 0.3).abs() < 1e-5 && (v + 0.2).abs() < 1e-5);
    }
}
